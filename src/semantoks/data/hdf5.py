"""HDF5 files of the reference implementation: many participants' time series in one file.

``timeseries/<atlas>`` has the shape (participants, regions, volumes) and is padded with NaN; the
atlas may be in parts. ``long_subject_id`` holds the ids, and further lists of the same length, at
the top or in the group ``labels``, hold phenotypes. See github.com/SamGijsen/Brain-Semantoks, "HDF5
File Structure".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from semantoks.config.participants_table import HDF5_SUFFIXES
from semantoks.data.declared import MAX_ROWS, require_at_most
from semantoks.errors import ScanError, shown

IDS, LABELS = "long_subject_id", "labels"
MAX_LIST = 4_000_000_000  # bytes of the values of all participants, or of one participant
MAX_TEXT = 2_000_000_000  # bytes of all text
MIN_SLICE, MAX_SLICE = 200, 10_000  # entries of text that are read at a time
PER_TEXT = 50  # bytes that Python adds to each text
NUMBERS = "iufb"  # kinds of NumPy
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
        See `member`; also when they are more, or longer, than is plausible.
    """
    item, where = member(file, IDS), f"`{IDS}` of {Path(file.filename).name}"
    if not _is_list(item):
        raise ScanError(f"{where} is not a list of text or numbers")
    require_at_most(item.shape, MAX_ROWS, where)
    return _read_text(item, MAX_TEXT // 10)


def read_lists(file: Any, length: int) -> dict[str, list[str] | np.ndarray]:
    """Read every list of text or numbers that has one entry per participant.

    Parameters
    ----------
    file : h5py.File
        Lists are at its top, or in its group ``labels``.
    length : int
        How many participants there are.

    Raises
    ------
    ScanError
        See `member`; also when all lists together hold more than is plausible, one of ``labels``
        has another length, or a list of the same name at the top has other values.
    """
    lists, labels = _lists_of(file, length), dict[str, Any]()
    if LABELS in file and not _is_dataset(group := member(file, LABELS, by_row=True)):
        labels = _lists_of(group, length)
        for name in set(group) - set(labels):
            raise ScanError(
                f"{shown(name)} in the group `{LABELS}` of {Path(file.filename).name} is not a "
                f"list of text or numbers with {length} values, one per participant"
            )
    items = [*lists.values(), *labels.values()]
    size = sum(length * max(item.dtype.itemsize, FLOAT) for item in items)
    if size > MAX_LIST:
        raise ScanError(f"the lists of {Path(file.filename).name} declare {size / 1e9:,.1f} GB")
    content, left = dict[str, list[str] | np.ndarray](), MAX_TEXT
    for name, item in [*lists.items(), *labels.items()]:
        values = item[:] if item.dtype.kind in NUMBERS else _read_text(item, left)
        left -= _size(values) if isinstance(values, list) else 0
        if name in content and not _are_equal(content[name], values):
            raise ScanError(
                f"{Path(file.filename).name} has the list {shown(name)} twice, at its top and in "
                f"`{LABELS}`, with different values; remove one"
            )
        content[name] = values
    return content


def _lists_of(group: Any, length: int) -> dict[str, Any]:
    """Return the lists of a group that have so many entries, not read yet."""
    items = {name: member(group, name, by_row=True) for name in group}
    return {name: item for name, item in items.items() if _is_list(item) and len(item) == length}


def _are_equal(first: list[str] | np.ndarray, second: list[str] | np.ndarray) -> bool:
    if isinstance(first, list) or isinstance(second, list):
        return list(first) == list(second)
    return np.array_equal(first.astype(float), second.astype(float), equal_nan=True)


def _is_dataset(item: Any) -> bool:
    import h5py

    return isinstance(item, h5py.Dataset)


def _is_list(item: Any) -> bool:
    import h5py

    is_list = isinstance(item, h5py.Dataset) and item.shape is not None and len(item.shape) == 1
    return is_list and (item.dtype.kind in NUMBERS or bool(h5py.check_string_dtype(item.dtype)))


def _read_text(item: Any, most: int) -> list[str]:
    """Read a list as text of at most so many bytes.

    Text of variable length may refer many times to the same long text in the file, so the shape
    says nothing about its size. An entry is not longer than the file.
    """
    longest = max(item.dtype.itemsize, item.file.id.get_filesize())
    rows = min(max(MAX_TEXT // 10 // longest, MIN_SLICE), MAX_SLICE)
    where = f"{shown(item.name)} of {Path(item.file.filename).name}"
    texts, size = list[str](), 0
    for start in range(0, len(item), rows):
        try:
            part = decode(item[start : start + rows])
        except UnicodeDecodeError:
            raise ScanError(f"{where} has text that is not UTF-8") from None
        size += _size(part)
        if size > most:
            raise ScanError(
                f"{where} has more text than is plausible (more than {most / 1e6:,.0f} MB)"
            )
        texts += part
    return texts


def _size(texts: list[str]) -> int:
    """Return the bytes of memory that texts take, of which short ones take most for themselves."""
    return sum(map(len, texts)) + PER_TEXT * len(texts)


def decode(values: Iterable[Any]) -> list[str]:
    """Return values as text, whether HDF5 stored them as bytes, text or numbers."""
    # h5py returns text as bytes since version 3.
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
