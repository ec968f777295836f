"""Files of features as others write them: Parquet, tables of text, and arrays of NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from semantoks.artifacts.representations import FeatureBlock
from semantoks.artifacts.tables import iter_arrays, open_parquet, read_metadata, read_table
from semantoks.errors import UserError, shown
from semantoks.gate import LARGEST_TABLE, problem_of_file
from semantoks.scores.represent.projections import PROJECTIONS

SCAN, PARTICIPANT, SESSION, ROW_ID = "scan", "participant_id", "session", "id"
ENTITIES = (SCAN, PARTICIPANT, SESSION, "task", "run")
FEATURES = "features"


@dataclass(frozen=True)
class FeatureFile:
    """The content of a file of features.

    Attributes
    ----------
    path : Path
    ids : DataFrame of str
        ``scan``, ``participant_id`` and ``session`` as far as the file has them; or `ROW_ID`, of
        which it is not known which of the first two it is.
    size : int
        Number of features.
    read : callable
        Yields the features of rows by their numbers, float32.
    names : list of str
        Of the features; empty where they have none.
    fitted : str
    blocks : tuple of FeatureBlock
        These two as in `ParticipantFeatures`, of files that Semantoks wrote.
    """

    path: Path
    ids: pd.DataFrame
    size: int
    read: Callable[[Sequence[int]], Iterator[np.ndarray]]
    names: list[str] = field(default_factory=list)
    fitted: str = ""
    blocks: tuple[FeatureBlock, ...] = ()


def read_feature_file(path: Path, ids: Path | None = None) -> FeatureFile:
    """Read a file of features, of a format that its suffix tells.

    Parameters
    ----------
    path : Path
        ``.parquet`` with a column of lists ``features``, or one column per feature; ``.tsv`` or
        ``.csv`` with one column per feature; ``.npy`` of shape (rows, features).
    ids : Path, optional
        Text file with one id per line, for ``.npy``.

    Raises
    ------
    UserError
        If the file is not one of these, says of no row whose it is, or has no numbers.
    """
    if problem := problem_of_file(path, LARGEST_TABLE):
        raise UserError(f"{path} is not a readable file of features: {problem}.")
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _of_array(path, ids)
    if suffix == ".parquet":
        columns = open_parquet(path).schema_arrow.names
        return _of_lists(path) if FEATURES in columns else _of_columns(path, read_table(path))
    return _of_columns(path, _read_text(path, "," if suffix == ".csv" else "\t"))


def _read_text(path: Path, separator: str) -> pd.DataFrame:
    """Read a table of text; ids keep their zeros, and an id may be NA."""
    kinds = dict.fromkeys(ENTITIES, str)
    try:
        return pd.read_csv(
            path,
            sep=separator,
            dtype=kinds,
            encoding="utf-8-sig",
            low_memory=False,
        )
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise UserError(
            f"{path} is not a readable table ({shown(str(error), 200)}). Save it as UTF-8 with "
            f"{'commas' if separator == ',' else 'tabs'} and one row of column names."
        ) from None


def _of_columns(path: Path, table: pd.DataFrame) -> FeatureFile:
    """Take every column but those of ids as a feature of its name."""
    names = [name for name in table.columns if name not in ENTITIES]
    ids = _ids(path, table)
    texts = [name for name in names if not pd.api.types.is_numeric_dtype(table[name])]
    texts = [name for name in texts if table[name].notna().any()]
    if texts:
        value = table[texts[0]].dropna().iloc[0]
        raise UserError(
            f"Column '{shown(texts[0])}' of {path} must be a feature, but holds '{shown(value)}'. "
            f"Remove the column ({len(texts)} such), or name it as one of {', '.join(ENTITIES)}; "
            "write n/a for a missing number."
        )
    if not names:
        raise UserError(f"{path} has no column of features beside its ids. Name another file.")
    # Columns that are empty are of type object.
    values_RF = table[names].astype(float).to_numpy(np.float32)
    return FeatureFile(
        path, ids, len(names), lambda rows: (values_RF[row] for row in rows), [*map(str, names)]
    )


def _of_lists(path: Path) -> FeatureFile:
    """Read the column ``features``, row group by row group."""
    file = open_parquet(path)
    kind = file.schema_arrow.field(FEATURES).type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (is_list or pa.types.is_fixed_size_list(kind)) or not _is_number(kind.value_type):
        raise UserError(
            f"The column 'features' of {path} is of type {kind}, expected lists of numbers. Write "
            "one list per row, or one column per feature."
        )
    columns = [file.read_row_group(g, [FEATURES])[FEATURES] for g in range(file.num_row_groups)]
    sizes = [n for column in columns for n in pc.list_value_length(column).to_pylist()]
    size = max((n for n in sizes if n), default=0)
    odd = [row for row, n in enumerate(sizes) if n not in (size, None)]
    if odd or not size:
        raise UserError(
            f"{path} has {sizes[odd[0]] if odd else 0} features in row {odd[0] + 1 if odd else 1}, "
            f"expected {size or 'some'} as in the others. Write lists of the same length."
        )

    def read(rows: Sequence[int]) -> Iterator[np.ndarray]:
        unknown = np.full(size, np.nan, np.float32)
        known = iter_arrays(path, FEATURES, [row for row in rows if sizes[row] is not None])
        return (unknown if sizes[row] is None else next(known).astype(np.float32) for row in rows)

    present = [name for name in ENTITIES if name in file.schema_arrow.names]
    ids = _ids(path, read_table(path, present) if present else pd.DataFrame())
    return FeatureFile(path, ids, size, read, **_described(path, size))


def _described(path: Path, size: int) -> dict[str, Any]:
    """Return names, projection and blocks of a file that Semantoks wrote; of others nothing."""
    try:
        metadata = read_metadata(path)
        names, fitted = list(metadata["names"]), str(metadata["fitted"])
        blocks = tuple(FeatureBlock(*block) for block in metadata.get("blocks", ()))
    except (ValueError, KeyError, TypeError):
        return {}
    sizes = {len(names) or size, sum(block.size for block in blocks) or size, size}
    if len(sizes) > 1 or (fitted and fitted not in PROJECTIONS):
        raise UserError(
            f"The metadata of {path} do not fit its {size} features: they are those of another "
            "file, or of another version of Semantoks. Make the file again."
        )
    return {"names": names, "fitted": fitted, "blocks": blocks}


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _of_array(path: Path, ids: Path | None) -> FeatureFile:
    """Read an array of NumPy, of which only the rows in use are loaded."""
    try:
        values_RF = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(
            f"{path} is not a readable array of numbers ({shown(str(error), 200)}). Save a "
            "two-dimensional array with numpy.save."
        ) from None
    if values_RF.ndim != 2 or values_RF.dtype.kind not in "fiub" or not values_RF.shape[1]:
        raise UserError(
            f"{path} has the shape {values_RF.shape} and the type {values_RF.dtype}, expected "
            "numbers of shape (rows, features). Save such an array."
        )
    lines = _lines(path, ids)
    if len(lines) != len(values_RF):
        raise UserError(
            f"{ids} has {len(lines)} ids, but {path} has {len(values_RF)} rows. Write one id per "
            "line, in the order of the rows and without a heading."
        )
    table = pd.DataFrame({ROW_ID: lines})
    return FeatureFile(
        path,
        table,
        values_RF.shape[1],
        lambda rows: (np.asarray(values_RF[row], np.float32) for row in rows),
    )


def _lines(path: Path, ids: Path | None) -> list[str]:
    if ids is None:
        raise UserError(f"{path} does not say whose its rows are. Name a file of `ids`.")
    if problem := problem_of_file(ids):
        raise UserError(f"{ids} is not a readable file of ids: {problem}.")
    try:
        return [line.strip() for line in ids.read_text("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise UserError(f"{ids} is not a text file ({error}). Save it as UTF-8.") from None


def _ids(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Take the columns that say whose a row is, as text."""
    present = [name for name in (SCAN, PARTICIPANT, SESSION) if name in table]
    if SCAN not in present and PARTICIPANT not in present:
        names = ", ".join(shown(str(name), 20) for name in table.columns[:5])
        raise UserError(
            f"{path} has no column 'participant_id' or 'scan' that says whose a row is (first "
            f"columns: {names or 'none'}). Name it so."
        )
    key = SCAN if SCAN in present else PARTICIPANT
    unknown = np.flatnonzero(table[key].isna())
    if len(unknown):
        raise UserError(f"Row {unknown[0] + 1} of {path} has no {key}. Add it, or remove the row.")
    ids = table[present].copy()
    for name in present:
        # pandas reads an id of a Parquet file as a float where another one is missing.
        ids[name] = [
            "" if pd.isna(value) else re.sub(r"^(\d+)\.0$", r"\1", str(value))
            for value in ids[name]
        ]
    return ids
