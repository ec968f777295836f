"""JSON sidecars of images and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semantoks.artifacts.files import read_json
from semantoks.errors import ScanError, UserError

# In the order of removal: `.nii.gz` loses `.gz` first, `.dtseries.nii` loses `.nii` first.
SUFFIXES = (".gz", ".nii", ".dtseries", ".tsv", ".csv", ".npy", ".1D", ".txt")


def read_sidecar(path: Path) -> dict[str, Any]:
    """Read the JSON file beside an image or a table.

    Raises
    ------
    ScanError
        When there is none, or it is not JSON.
    """
    stem = path.name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    file = path.with_name(f"{stem}.json")
    # Some versions of fMRIPrep keep `.dtseries` in the name of the sidecar.
    if not file.exists() and path.name.endswith(".dtseries.nii"):
        file = path.with_name(f"{stem}.dtseries.json")
    if not file.exists():
        raise ScanError(f"there is no {file.name} beside {path.name}")
    try:
        content = read_json(file)
    except UserError as error:
        raise ScanError(f"{file.name} is not readable JSON") from error
    return content if isinstance(content, dict) else {}
