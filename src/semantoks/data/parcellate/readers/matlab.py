"""Time series in MATLAB files, version 5 (by SciPy) and 7.3 (which is HDF5)."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from semantoks.data.declared import MAX_TABLE, require_at_most
from semantoks.data.hdf5 import member
from semantoks.errors import ScanError
from semantoks.gate import require_file

# Classes of MATLAB that a table of numbers may have.
INTEGERS = (f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
NUMERIC = ("double", "single", "logical", *INTEGERS)
HEADER, COMPRESSED = 128, 15  # bytes of version 5; type of a compressed variable
CHUNK = 2**20
STANDARD = ("ROISignals",)  # DPABI and DPARSF
TR_NAMES = ("TR", "RepetitionTime", "repetition_time")


def read_matlab(path: Path, variable: str | None = None) -> tuple[np.ndarray, float | None]:
    """Read the table of time series of a ``.mat`` file.

    Parameters
    ----------
    path : Path
    variable : str, optional
        Its name. Default: ``ROISignals``, or the only table of numbers.

    Returns
    -------
    values : ndarray of float64, two-dimensional
        As MATLAB shows it.
    repetition_time : float or None
        What a variable ``TR`` or ``RepetitionTime`` of the file states.

    Raises
    ------
    ScanError
        When the file is not readable, or it is not clear which variable to take.
    """
    try:
        content = _read_version_5(require_file(path))
    except ScanError:
        raise
    except NotImplementedError:  # scipy.io.loadmat raises this for version 7.3, which is HDF5
        content = _read_version_7(path, variable)
    except Exception as error:  # SciPy raises many types of errors on malformed files
        raise ScanError(f"{path.name} is not a readable MATLAB file ({error})") from error
    name = variable or _choose(content, path)
    if not _is_table(content.get(name)):
        listed = ", ".join(f"{key} {_shape(value)}" for key, value in content.items()) or "none"
        raise ScanError(f"{path.name} has no table of numbers '{name}' (variables: {listed})")
    repetition_times = (content[key] for key in TR_NAMES if key in content)
    tr = next((float(value.flat[0]) for value in repetition_times if _is_scalar(value)), None)
    return np.asarray(content[name], float), tr


def _read_version_5(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat, whosmat

    variables = whosmat(path)
    # Cells and structures are left out: they hold no time series, but may hold anything else.
    tables = {name: shape for name, shape, kind in variables if kind in NUMERIC}
    require_at_most((sum(map(math.prod, tables.values())),), MAX_TABLE, path.name)
    _require_plausible_content(path)
    # Not squeezed, so that one region or volume stays a table.
    content = loadmat(path, squeeze_me=False, variable_names=list(tables))
    return {
        name: content.get(name) if name in tables else f"({kind})" for name, _, kind in variables
    }


def _require_plausible_content(path: Path) -> None:
    """Refuse a file whose compressed variables are unpacked to more than is plausible.

    The shape that a variable declares says nothing about it.
    """
    unpacked = 0
    with path.open("rb") as file:
        header = file.read(HEADER)
        order = "<" if header.endswith(b"IM") else ">"
        while len(tag := file.read(8)) == 8:
            kind, length = struct.unpack(f"{order}II", tag)
            content = file.read(min(length, path.stat().st_size))
            unpacker = zlib.decompressobj()
            while kind == COMPRESSED and content and not unpacker.eof:
                unpacked += len(unpacker.decompress(content, CHUNK))
                content = unpacker.unconsumed_tail
                if unpacked > MAX_TABLE * 8:
                    raise ScanError(f"{path.name} is unpacked to more than {MAX_TABLE * 8:,} bytes")


def _read_version_7(path: Path, variable: str | None) -> dict[str, Any]:
    """Read what may be the table or the repetition time; others are described by their shape."""
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(path) as file:
            items = {name: member(file, name) for name in file if not name.startswith("#")}
            wanted = {
                name: item
                for name, item in items.items()
                if name in (variable or name, *TR_NAMES) and _holds_numbers(item)
            }
            sizes = (item.size for item in wanted.values())
            require_at_most((sum(sizes),), MAX_TABLE, path.name)
            # MATLAB stores arrays column by column, so their axes come in reverse.
            return {
                name: np.asarray(item[()]).T if name in wanted else _described(item)
                for name, item in items.items()
            }
    except (OSError, ValueError, TypeError) as error:
        raise ScanError(f"{path.name} is not a readable MATLAB file ({error})") from error


def _holds_numbers(item: Any) -> bool:
    """Whether a member of HDF5 is a table of real numbers, or a single number."""
    shape, kind = getattr(item, "shape", None), getattr(item, "dtype", np.dtype(object)).kind
    return shape is not None and kind in "iuf" and (len(shape) == 2 or math.prod(shape) == 1)


def _described(item: Any) -> str:
    shape = getattr(item, "shape", None)
    return "(group)" if shape is None else " × ".join(map(str, reversed(shape)))


def _choose(content: Mapping[str, Any], path: Path) -> str:
    standard = [name for name in STANDARD if _is_table(content.get(name))]
    tables = standard or [name for name, value in content.items() if _is_table(value)]
    if len(tables) == 1:
        return tables[0]
    if tables:
        raise ScanError(
            f"{path.name} has several tables of numbers ({', '.join(sorted(tables))}); name the "
            "time series by `variable` of the data set"
        )
    listed = ", ".join(f"{key} {_shape(value)}" for key, value in content.items()) or "none"
    raise ScanError(f"{path.name} has no table of numbers (variables: {listed})")


def _is_table(value: Any) -> bool:
    """Whether a variable has two dimensions of more than one real number."""
    is_numeric = isinstance(value, np.ndarray) and value.dtype.kind in "iuf"
    return is_numeric and value.ndim == 2 and min(value.shape) > 1


def _is_scalar(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and value.size == 1


def _shape(value: Any) -> str:
    return " × ".join(map(str, value.shape)) if isinstance(value, np.ndarray) else str(value)
