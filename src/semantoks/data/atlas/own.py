"""A user's own atlas: an image (NIfTI or CIFTI dlabel) and a table with networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.provenance import sha256
from semantoks.config import AtlasFiles
from semantoks.data.atlas.checks import hemisphere, require_affine
from semantoks.data.atlas.files import Built, is_cifti, label_image, read_image
from semantoks.errors import UserError

NEEDED = ("index", "name", "network")


def build(name: str, files: AtlasFiles) -> Built:
    """Read the files that ``atlases.<name>`` names.

    Raises
    ------
    UserError
        When a file is missing or is not what it should be.
    """
    image, regions = _labels(Path(files.image)), _regions(Path(files.table), name)
    paths = (Path(files.image), Path(files.table))
    sources = [{"file": str(path), "sha256": sha256(path)} for path in paths]
    return Built(image, regions, files.space, sources, "unknown: a file of the user's own")


def _labels(path: Path) -> Any:
    """Read a label image of whole numbers; CIFTI stays as it is."""
    image = read_image(path)
    try:
        require_affine(image)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    data = np.asarray(image.dataobj)
    axes, maps = (2, data.shape[:-1]) if is_cifti(image) else (3, data.shape[3:])
    if data.ndim < axes or any(n != 1 for n in maps):
        raise UserError(
            f"{path} has the shape {data.shape}; an atlas has one map of labels. Take the map "
            "wanted out of it."
        )
    if not np.array_equal(data, np.rint(data)) or data.min() < 0:
        raise UserError(
            f"{path} has values that are not labels 0, 1, 2, … (from {data.min():g} to "
            f"{data.max():g}). Turn probabilities into labels first."
        )
    return image if is_cifti(image) else _with_own_header(image, data)


def _with_own_header(image: Any, data: np.ndarray) -> Any:
    """Write labels as integers; whether the affine was declared stays as the user has it."""
    made = label_image(data.reshape(data.shape[:3]), image.affine)
    if "sform_code" in image.header:
        for key in ("qform_code", "sform_code"):
            made.header[key] = image.header[key]
    return made


def _regions(path: Path, name: str) -> pd.DataFrame:
    if not path.exists():
        raise UserError(f"atlases.{name}.table: there is no {path}. Name an existing file.")
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = [column for column in NEEDED if column not in table]
    if missing:
        raise UserError(
            f"atlases.{name}.table: {path} has no column '{missing[0]}' (columns: "
            f"{', '.join(table)}). It needs index, name and network."
        )
    index = pd.to_numeric(table["index"], errors="coerce")
    empty = table[~(index % 1 == 0) | (table["name"] == "") | (table["network"] == "")]
    if len(empty):
        raise UserError(
            f"atlases.{name}.table: {path} lacks a whole index, a name or a network in line "
            f"{empty.index[0] + 2}. Fill it in."
        )
    regions = table[["name", "network"]].assign(hemisphere=_sides(table))
    regions.insert(0, "index", index.astype(int))
    return regions[regions["index"] != 0].reset_index(drop=True)  # 0 is the background


def _sides(table: pd.DataFrame) -> list[str]:
    """L, R or empty, from a column of that meaning or from the name."""
    column = next((c for c in ("hemisphere", "hemi") if c in table), None)
    if column is None:
        return [hemisphere(name) for name in table["name"]]
    return [side[:1].upper() if side[:1].upper() in ("L", "R") else "" for side in table[column]]
