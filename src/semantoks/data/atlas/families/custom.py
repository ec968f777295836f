"""A custom atlas: the user's image (NIfTI or CIFTI dlabel; not for time series) and table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from nibabel.spatialimages import SpatialImage

from semantoks.artifacts.provenance import sha256
from semantoks.config import AtlasFiles
from semantoks.data.atlas.checks import require_affine
from semantoks.data.atlas.download import SourceRecord
from semantoks.data.atlas.families.built import Built
from semantoks.data.atlas.images import LabelImage, is_cifti, label_image, read_label_image
from semantoks.data.atlas.regions import hemisphere_from_name
from semantoks.errors import UserError
from semantoks.gate import problem_of_file

REQUIRED = ("index", "name", "network")
LICENCE = "unknown: a file of the user's own"


def build(name: str, files: AtlasFiles) -> Built:
    """Read the image, if any, and the table that the configuration names by ``atlases.<name>``.

    Raises
    ------
    UserError
        When a file is missing, the image is no label image, or the table is incomplete.
    """
    image = None if files.image is None else _read_image(Path(files.image))
    regions = _read_table(Path(files.table), name)
    paths = [Path(path) for path in (files.image, files.table) if path is not None]
    sources = [SourceRecord(file=str(path), sha256=sha256(path)) for path in paths]
    return Built(image, regions, files.space or "", sources, LICENCE)


def _read_image(path: Path) -> LabelImage:
    """Read a single map of integer labels; a CIFTI image is returned unchanged."""
    image = read_label_image(path)
    try:
        require_affine(image)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    data = np.asarray(image.dataobj)
    # CIFTI data are maps × grayordinates, NIfTI data x × y × z × maps.
    axes, maps = (2, data.shape[:-1]) if is_cifti(image) else (3, data.shape[3:])
    if data.ndim < axes or any(n != 1 for n in maps):
        raise UserError(
            f"{path} has the shape {data.shape}, but an atlas has a single map of labels. Extract "
            "the map that you want to use."
        )
    # Many tools store labels as floats, so the values are checked and not the type.
    if not np.array_equal(data, np.rint(data)) or data.min() < 0:
        raise UserError(
            f"{path} has values that are not labels 0, 1, 2, … (range {data.min():g} to "
            f"{data.max():g}). Convert probability maps to labels first."
        )
    return image if is_cifti(image) else _as_integers(image, data)


def _as_integers(image: SpatialImage, data: np.ndarray) -> SpatialImage:
    """Return a copy with integer labels and the form codes of the original."""
    converted = label_image(data.reshape(data.shape[:3]), image.affine)
    if "sform_code" in image.header:  # `label_image` would declare any affine as MNI
        for key in ("qform_code", "sform_code"):
            converted.header[key] = image.header[key]
    return converted


def _read_table(path: Path, name: str) -> pd.DataFrame:
    """Read a TSV or CSV table and drop the row of the background."""
    if not path.exists():
        raise UserError(f"atlases.{name}.table: {path} does not exist. Correct its path.")
    if problem := problem_of_file(path):
        raise UserError(f"atlases.{name}.table: {path} is no table: {problem}.")
    separator = "," if path.suffix.lower() == ".csv" else "\t"
    # By default, pandas reads a network called "None" as missing, and Excel's byte order mark as
    # part of the first column's name.
    try:
        table = pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        ).fillna("")  # the cells that a short line lacks
    except (ValueError, OSError) as error:
        raise UserError(
            f"atlases.{name}.table: {path} is not a readable table ({error}). Correct it."
        ) from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus cells for an index
        raise UserError(
            f"atlases.{name}.table: the rows of {path} have more cells than its header. Correct it."
        )
    # Spreadsheets leave blanks that no one sees, and names with them match no column of a table.
    table = table.rename(columns=str.strip).apply(lambda column: column.str.strip())
    missing = [column for column in REQUIRED if column not in table]
    if missing:
        raise UserError(
            f"atlases.{name}.table: {path} has no column '{missing[0]}' (columns: "
            f"{', '.join(table)}). The columns index, name and network are required."
        )
    index = pd.to_numeric(table["index"], errors="coerce")
    incomplete = table[~(index % 1 == 0) | (table["name"] == "") | (table["network"] == "")]
    # Line numbers count from 1 and include the header, hence + 2.
    if len(incomplete):
        raise UserError(
            f"atlases.{name}.table: {path} has no integer index, no name or no network in line "
            f"{incomplete.index[0] + 2}. Fill it in."
        )
    regions = table[["name", "network"]].assign(hemisphere=_hemispheres(table))
    regions.insert(0, "index", index.astype(int))
    regions = regions[regions["index"] != 0].reset_index(drop=True)
    if regions.empty:
        raise UserError(f"atlases.{name}.table: {path} lists no region. Add one row per region.")
    return regions


def _hemispheres(table: pd.DataFrame) -> list[str]:
    """Return L, R or empty per region, from the column if there is one, otherwise from the name."""
    column = next((c for c in ("hemisphere", "hemi") if c in table), None)
    if column is None:
        return [hemisphere_from_name(name) for name in table["name"]]
    initials = [side[:1].upper() for side in table[column]]
    return [side if side in ("L", "R") else "" for side in initials]
