"""HDF5 files of the reference implementation: many participants' time series in one file.

``timeseries/<atlas>`` has the shape (participants, regions, volumes) and is padded with NaN;
``long_subject_id`` holds the ids, and further lists of the same length hold phenotypes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semantoks.config.data import HDF5_SUFFIXES

IDS = "long_subject_id"


def is_hdf5(path: Path) -> bool:
    """Whether a file name has one of the suffixes of HDF5."""
    return path.suffix in HDF5_SUFFIXES


def read_ids(file: Any) -> list[str]:
    """Read the participants' ids from an open ``h5py.File``."""
    return decode(file[IDS][:])


def decode(values: Iterable[Any]) -> list[str]:
    """Return values as text, whether HDF5 stored them as bytes, text or numbers."""
    # h5py returns text as bytes since version 3.
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]
