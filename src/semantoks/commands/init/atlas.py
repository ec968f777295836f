"""The atlas of regional time series, from the name and the header of a file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from pyarrow import ArrowException

from semantoks.artifacts.timeseries import read_manifest
from semantoks.data.layout import entities_of
from semantoks.errors import UserError
from semantoks.gate import problem_of_file

# XCP-D's 4S atlases are Schaefer's 17 networks and so many subcortical and cerebellar regions.
SUBCORTICAL_4S = 56
BY_REGIONS = {regions: f"schaefer{regions}x7" for regions in range(100, 1001, 100)}
BY_REGIONS |= {300: "seitzman300", 457: "semantoks457"}
_FIRST_LINE = 1_000_000  # bytes


def guess_atlas(file: Path) -> tuple[str, str] | None:
    """Guess the atlas of a file of time series, and say from what; None if there is no guess."""
    if problem_of_file(file):
        return None
    if file.suffix == ".parquet":
        return _of_parquet(file)
    entities = entities_of(file.name)
    label = entities.get("seg") or entities.get("atlas") or ""
    if match := re.fullmatch(r"4S(\d+)Parcels", label):
        return f"schaefer{int(match[1]) - SUBCORTICAL_4S}x17", f"cortex of {label}"
    if "cc200" in file.name.lower():
        return "cc200", "name of the files"
    header = _header(file)
    for networks in (17, 7):
        count = sum(f"{networks}Networks_" in column for column in header)
        if count:
            return f"schaefer{count}x{networks}", "names of the columns"
    if len(header) in BY_REGIONS:
        return BY_REGIONS[len(header)], f"number of columns ({len(header)}) alone"
    return None


def _of_parquet(file: Path) -> tuple[str, str] | None:
    try:
        return read_manifest(file).atlas, "manifest of the files"
    except (UserError, ArrowException):
        return None


def _header(file: Path) -> list[str]:
    """Return the columns of a table: its first line, or numbers of an array."""
    if file.suffix == ".npy":
        shape = np.load(file, mmap_mode="r", allow_pickle=False).shape
        return [str(column) for column in range(shape[-1] if shape else 0)]
    if file.suffix in (".mat", ".nii", ".h5", ".hdf5"):
        return []
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        return re.split(r"[\t,; ]+", stream.readline(_FIRST_LINE).lstrip("# ").strip())
