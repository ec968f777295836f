"""Time series without names of regions: NumPy arrays and HDF5."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.declared import require_plausible_array
from semantoks.data.hdf5 import IDS, member, read_ids
from semantoks.errors import ScanError
from semantoks.gate import require_file

# What the reference implementation calls the parts of an atlas, in its order, and their regions.
PARTS = {
    "semantoks457": {"schaefer400": 400, "tian3": 50, "buckner7": 7},
    "schaefer400x7": {"schaefer400": 400},
}


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
        Which of several time series to read, by name. Those of `PARTS` are joined in the order of
        the atlas.

    Returns
    -------
    ndarray, shape (volumes, regions)
        Without the padding: trailing volumes that are NaN in every region. A part of the atlas that
        the file lacks is NaN.

    Raises
    ------
    ScanError
        When the file has another layout, no such scan, or only atlases of other names or sizes.
    """
    import h5py  # type: ignore[import-untyped]

    with h5py.File(require_file(path)) as file:
        if "timeseries" not in file or IDS not in file:
            raise ScanError(
                f"{path.name} is not HDF5 of the reference implementation: it has no `timeseries` "
                f"or no `{IDS}`"
            )
        series, ids = member(file, "timeseries"), read_ids(file)
        if scan not in ids:
            raise ScanError(f"{path.name} has no scan '{scan}' in `{IDS}`")
        sizes = _sizes_of_parts(list(series), atlas, path)
        items = {name: member(series, name, by_row=True) for name in sizes if name in series}
        volumes = _volumes_of(items, sizes, len(ids), path)
        row = ids.index(scan)
        parts = [
            np.asarray(items[name][row], float) if name in items else np.full((n, volumes), np.nan)
            for name, n in sizes.items()
        ]
    values_CT = np.concatenate(parts)
    # Only NaN at the end is padding; volumes that are NaN before it exclude the scan later.
    recorded_T = np.flatnonzero(~np.isnan(values_CT).all(axis=0))
    return values_CT[:, : recorded_T[-1] + 1 if len(recorded_T) else 0].T


def _sizes_of_parts(names: list[str], atlas: Atlas, path: Path) -> dict[str, int]:
    """Return which time series to join, in order, and the number of regions of each; 0 for any."""
    if atlas.name in names:
        return {atlas.name: 0}
    parts = PARTS.get(atlas.name, {})
    if next(iter(parts), None) in names:
        return parts
    if len(names) == 1:
        return {names[0]: 0}
    raise ScanError(f"{path.name} has no timeseries/{atlas.name} ({', '.join(names)})")


def _volumes_of(items: Mapping[str, Any], sizes: Mapping[str, int], ids: int, path: Path) -> int:
    """Return the number of volumes, padding included, of parts that must have the same."""
    shapes = {name: tuple(getattr(item, "shape", None) or ()) for name, item in items.items()}
    volumes = int(next((shape[2] for shape in shapes.values() if len(shape) == 3), 0))
    for name, shape in shapes.items():
        regions = sizes[name] or (shape[1] if len(shape) == 3 else "regions")
        if shape != (ids, regions, volumes):
            raise ScanError(
                f"timeseries/{name} of {path.name} has the shape {shape}, but {ids} participants × "
                f"{regions} × {volumes} volumes are expected"
            )
    return volumes
