"""Deterministic Parquet files: tables, and tables with an array in each row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from semantoks.artifacts.files import atomic
from semantoks.errors import UserError


def write_table(
    path: Path,
    table: pd.DataFrame,
    metadata: dict[str, Any] | None = None,
    *,
    of_people: bool = True,
) -> None:
    """Write a data frame as Parquet, with `metadata` (JSON values) in its schema."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    extra = {key: json.dumps(value, sort_keys=True) for key, value in (metadata or {}).items()}
    with atomic(path, of_people=of_people) as temporary:
        # from_pandas adds metadata with the version of pandas, which would be part of the bytes.
        pq.write_table(arrow.replace_schema_metadata(extra), temporary, compression="zstd")


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table into a data frame."""
    return open_parquet(path).read(columns=list(columns) if columns else None).to_pandas()


def read_metadata(path: Path) -> dict[str, Any]:
    """Read the JSON values that `write_table` or `write_rows` put into the schema."""
    schema = open_parquet(path).schema_arrow
    return {
        key.decode(): json.loads(value)
        for key, value in (schema.metadata or {}).items()
        # pyarrow and pandas store entries of their own: `ARROW:schema` and `pandas`.
        if not key.startswith((b"ARROW", b"pandas"))
    }


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file.

    Raises
    ------
    UserError
        When it is not one, or is truncated.
    """
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(
            f"{path} is not a readable Parquet file ({error}). Delete it and run again."
        ) from None


def write_rows(
    path: Path,
    table: pd.DataFrame,
    arrays: Mapping[str, Iterable[np.ndarray | None]],
    metadata: Any,
    *,
    rows_per_group: int = 1,
) -> None:
    """Write one row per array; one row group at a time is in memory.

    Parameters
    ----------
    path : Path
    table : DataFrame
        The other columns, one row per array.
    arrays : mapping of str to iterable of ndarray or None
        For each array column one array per row, stored flat as float32; None becomes a null.
    metadata : dict
        JSON values for the schema.
    rows_per_group : int
        Rows that are read together. The writer keeps 13 kB of metadata per group in memory.
    """
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    extra = {key: json.dumps(value, sort_keys=True) for key, value in metadata.items()}
    schema = arrow.schema.with_metadata(extra)
    for column in arrays:
        schema = schema.append(pa.field(column, pa.list_(pa.float32())))
    # Byte-stream split puts bytes of equal significance together, which zstd compresses better.
    # pyarrow prefers dictionaries if they are enabled, and ignores it.
    options = {"compression": "zstd", "use_dictionary": False}
    # Parquet's path of the values in a list column.
    split = [f"{column}.list.element" for column in arrays]
    rows = zip(*arrays.values(), strict=True)
    with (
        atomic(path, of_people=True) as temporary,
        pq.ParquetWriter(temporary, schema, use_byte_stream_split=split, **options) as writer,
    ):
        for first in range(0, len(table), rows_per_group):
            group = list(islice(rows, rows_per_group))
            columns = zip(*group, strict=True)
            cells = [pa.array(map(_flat, column), pa.list_(pa.float32())) for column in columns]
            all_columns = [*arrow.slice(first, len(group)).columns, *cells]
            writer.write_table(pa.Table.from_arrays(all_columns, schema=schema))


def _flat(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else np.asarray(array, np.float32).ravel()


def iter_arrays(path: Path, column: str, rows: Iterable[int]) -> Iterator[np.ndarray]:
    """Yield the flat arrays of some rows of a file of `write_rows`, reading one group at a time."""
    file = open_parquet(path)
    counts = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    ends = np.cumsum(counts)

    # Consecutive rows mostly share a row group, so keep the last one decoded.
    @lru_cache(maxsize=1)
    def read(group: int) -> pa.ChunkedArray:
        return file.read_row_group(group, columns=[column])[column]

    for row in rows:
        group = int(np.searchsorted(ends, row, side="right"))
        yield read(group)[int(row - ends[group] + counts[group])].values.to_numpy()
