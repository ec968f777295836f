"""Time series without names of regions: NumPy arrays and HDF5."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.declared import require_plausible_array
from semantoks.data.hdf5 import IDS, member, read_ids
from semantoks.errors import ScanError
from semantoks.gate import require_file


def read_numpy(path: Path) -> np.ndarray:
    """Read a ``.npy`` file as float64.

    Raises
    ------
    ScanError
        When it is not an array of numbers.
    """
    try:
        require_plausible_array(require_file(path))
        # A pickle could run code of whoever made the file.
        array = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ScanError(f"{path.name} is not a readable array ({error})") from error
    # Structured, text and complex arrays would lose something in the conversion.
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
        kind = getattr(array, "dtype", "several arrays")
        raise ScanError(f"{path.name} is not an array of real numbers (it is of type {kind})")
    return array.astype(float)


def volumes_first(values: np.ndarray, regions: int, source: str) -> np.ndarray:
    """Return a table of volumes × regions, transposed if its first axis has the regions.

    Parameters
    ----------
    values : ndarray
        Further axes may have the length 1.
    regions : int
        How many regions are expected.
    source : str
        File name, for messages.

    Raises
    ------
    ScanError
        When it is not a table, or it is square.
    """
    table = values.squeeze() if values.ndim > 2 else values
    if table.ndim != 2:
        raise ScanError(
            f"{source} has the shape {values.shape}, a table of volumes and {regions} regions is "
            "expected"
        )
    if table.shape[0] == table.shape[1]:
        raise ScanError(f"{source} is square, so volumes and regions cannot be told apart")
    transposed = table.shape[1] != regions and table.shape[0] == regions
    return table.T if transposed else table


def read_hdf5(path: Path, scan: str, atlas: Atlas) -> np.ndarray:
    """Read a scan from a file of the reference implementation.

    Parameters
    ----------
    path : Path
    scan : str
        The participant's id; there is one scan each.
    atlas : Atlas
        Which of several time series to read, by name.

    Returns
    -------
    ndarray, shape (volumes, regions)
        Without the padding: trailing volumes that are NaN in every region.

    Raises
    ------
    ScanError
        When the file has another layout, no such scan, or several atlases of other names.
    """
    import h5py  # type: ignore[import-untyped]

    with h5py.File(require_file(path)) as file:
        if "timeseries" not in file or IDS not in file:
            raise ScanError(
                f"{path.name} is not HDF5 of the reference implementation: it has no `timeseries` "
                f"or no `{IDS}`"
            )
        atlases, ids = member(file, "timeseries"), read_ids(file)
        names = list(atlases)
        if scan not in ids:
            raise ScanError(f"{path.name} has no scan '{scan}' in `{IDS}`")
        name = atlas.name if atlas.name in names else names[0]
        if len(names) > 1 and name != atlas.name:
            raise ScanError(f"{path.name} has no timeseries/{atlas.name} ({', '.join(names)})")
        values_CT = np.asarray(member(atlases, name, by_row=True)[ids.index(scan)], float)
    # Only NaN at the end is padding; volumes that are NaN before it exclude the scan later.
    recorded_T = np.flatnonzero(~np.isnan(values_CT).all(axis=0))
    return values_CT[:, : recorded_T[-1] + 1 if len(recorded_T) else 0].T
