"""Time series without names of regions: NumPy arrays and HDF5."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.hdf5 import read_ids
from semantoks.errors import ScanError


def read_numpy(path: Path) -> np.ndarray:
    """Read a ``.npy`` file as float64.

    Raises
    ------
    ScanError
        When it is not an array of numbers.
    """
    try:
        # A pickle could run code of whoever made the file.
        return np.load(path, allow_pickle=False).astype(float)
    except (ValueError, OSError, EOFError) as error:
        raise ScanError(f"{path.name} is not a readable array ({error})") from error


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
        When there are several atlases and none has this name.
    """
    import h5py  # type: ignore[import-untyped]

    with h5py.File(path) as file:
        names = list(file["timeseries"])
        name = atlas.name if atlas.name in names else names[0]
        if len(names) > 1 and name != atlas.name:
            raise ScanError(f"{path.name} has no timeseries/{atlas.name} ({', '.join(names)})")
        row = read_ids(file).index(scan)
        values_CT = np.asarray(file["timeseries"][name][row], float)
    # Only NaN at the end is padding; volumes that are NaN before it exclude the scan later.
    recorded_T = np.flatnonzero(~np.isnan(values_CT).all(axis=0))
    return values_CT[:, : recorded_T[-1] + 1 if len(recorded_T) else 0].T
