"""HDF5 files as the reference implementation writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

HDF5_SUFFIXES = (".h5", ".hdf5")  # names of files of the reference


def decode_ids(values: Iterable[Any]) -> list[str]:
    """Return ids as text, whether they were stored as bytes, text or numbers."""
    return [one.decode() if isinstance(one, bytes) else str(one) for one in values]
