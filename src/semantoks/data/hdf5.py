"""HDF5 files of the reference implementation: many participants' time series in one file.

``timeseries/<atlas>`` has the shape (participants, regions, volumes) and is padded with NaN;
``long_subject_id`` holds the ids, and further lists of the same length hold phenotypes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semantoks.config.data import HDF5_SUFFIXES
from semantoks.errors import ScanError, shown

IDS = "long_subject_id"
MAX_LIST = 4_000_000_000  # bytes of the values of all participants, or of one participant
FLOAT = 8  # bytes, as which values are read


def is_hdf5(path: Path) -> bool:
    """Whether a file name has one of the suffixes of HDF5."""
    return path.suffix in HDF5_SUFFIXES


def member(group: Any, name: str, *, by_row: bool = False) -> Any:
    """Return a member of an HDF5 group, a dataset or a group, whose data are in the file itself.

    HDF5 can keep data in other files: by links, by raw storage, and by virtual datasets. These may
    be any files of the computer, such as those of other people.

    Parameters
    ----------
    group : h5py.Group
        Or a file.
    name : str
    by_row : bool, optional
        Whether it is read row by row, so that only the size of a row matters.

    Raises
    ------
    ScanError
        When it is stored elsewhere, or declares more than is plausible.
    """
    import h5py  # type: ignore[import-untyped]

    file = Path(group.file.filename).name
    where, link = f"{shown(name)} of {file}", group.get(name, getlink=True)
    if link is None:
        raise ScanError(f"{file} has no {shown(name)}")
    # A link within the file may pass through one to another file.
    if not isinstance(link, h5py.HardLink):
        raise ScanError(f"{where} is a link; store the data themselves in its place")
    item = group[name]
    if not isinstance(item, h5py.Dataset):
        return item
    if item.external or item.is_virtual:
        raise ScanError(f"{where} keeps its data in other files; store them in the file itself")
    shape = (item.shape or ())[1 if by_row else 0 :]
    # Storage is allocated with the first value, so an empty dataset may declare any size. A chunk
    # is unpacked as a whole.
    count = max(math.prod(shape), math.prod(item.chunks or ()))
    declared = count * max(item.dtype.itemsize, FLOAT)
    if declared > MAX_LIST:
        raise ScanError(
            f"{where} declares {declared / 1e9:,.1f} GB (shape {item.shape}), at most "
            f"{MAX_LIST // 10**9} GB are plausible"
        )
    return item


def read_ids(file: Any) -> list[str]:
    """Read the participants' ids from an open ``h5py.File``.

    Raises
    ------
    ScanError
        See `member`.
    """
    return decode(member(file, IDS)[:])


def decode(values: Iterable[Any]) -> list[str]:
    """Return values as text, whether HDF5 stored them as bytes, text or numbers."""
    # h5py returns text as bytes since version 3.
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
