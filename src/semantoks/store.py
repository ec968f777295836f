"""Artifacts on disk: written whole or not at all, read by name, the same bytes every time.

Regional time series are kept one row per scan, each a row group of its own (zstd and
byte-stream split), so that one scan of thousands is read without touching the others.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from semantoks.config import Settings
from semantoks.errors import UserError

_OPEN_FILES = 64
HDF5 = (".h5", ".hdf5")  # names of files of the reference
ARRAYS = ("timeseries", "means")
SCAN_ENTITIES = ("scan", "participant_id", "session", "task", "run")


class Manifest(Settings):
    """What a time-series file holds, as far as a model must know it.

    ``labels`` and ``networks`` are in the order of the rows of each time series.
    """

    atlas: str
    atlas_sha256: str
    labels: tuple[str, ...]
    networks: tuple[str, ...]
    space: str
    tr: float
    low_pass: float | None
    high_pass: float | None
    confounds: str
    engine: str


@dataclass(frozen=True)
class Scan:
    """One scan that is used: its entities and its cleaned regional time series.

    Attributes
    ----------
    timeseries_CT : ndarray of float32, shape (regions, volumes)
        z-scored per region; a region without coverage is NaN throughout.
    tr : float
        Repetition time in seconds.
    """

    scan: str
    participant_id: str
    session: str
    task: str
    run: str
    tr: float
    timeseries_CT: np.ndarray


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` that becomes `path` only if nothing is raised."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` that takes its place only if nothing is raised.

    Nobody else knows its name: on a cluster the attempt before may still be dying, and Snakemake
    then removes what it has written, by the name that this attempt is to write.
    """
    for left in path.parent.glob(f".{path.name}.*.part"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with sorted keys."""
    with atomic(path) as temporary:
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_shard(path: Path) -> pd.DataFrame:
    """Read the table of a shard; all text but ``repetition_time``, which may be NaN."""
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return table.assign(repetition_time=pd.to_numeric(table["repetition_time"]))


def read_json(path: Path) -> Any:
    """Read JSON; a file that is cut short is named in the error."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(
            f"{path} is not readable JSON ({error}). Delete it and run again."
        ) from None


def write_table(path: Path, table: pd.DataFrame, metadata: dict[str, Any] | None = None) -> None:
    """Write a data frame as Parquet, `metadata` (JSON values) into its schema."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    extra = {key: json.dumps(value, sort_keys=True) for key, value in (metadata or {}).items()}
    with atomic(path) as temporary:
        pq.write_table(arrow.replace_schema_metadata(extra), temporary, compression="zstd")


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table into a data frame."""
    return _open(path).read(columns=list(columns) if columns else None).to_pandas()


def read_metadata(path: Path) -> dict[str, Any]:
    """Read the JSON values that `write_table` or `write_rows` put into the schema."""
    schema = _open(path).schema_arrow
    return {
        key.decode(): json.loads(value)
        for key, value in (schema.metadata or {}).items()
        if not key.startswith((b"ARROW", b"pandas"))
    }


def _open(path: Path) -> pq.ParquetFile:
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
    together: int = 1,
) -> None:
    """Write one row per array; of an iterator only one row group is in memory.

    Parameters
    ----------
    path : Path
    table : DataFrame
        The other columns, one row per array.
    arrays : mapping of str to iterable of ndarray or None
        For each column of arrays, one float32 array per row, which is flattened; None becomes a
        null.
    metadata : dict
        JSON values for the schema.
    together : int
        Rows of a row group, which are read together; the writer keeps 13 kB about each group.
    """
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    extra = {key: json.dumps(value, sort_keys=True) for key, value in metadata.items()}
    schema = arrow.schema.with_metadata(extra)
    for column in arrays:
        schema = schema.append(pa.field(column, pa.list_(pa.float32())))
    options = {"compression": "zstd", "use_dictionary": False}
    split = [f"{column}.list.element" for column in arrays]
    rows = zip(*arrays.values(), strict=True)
    with (
        atomic(path) as temporary,
        pq.ParquetWriter(temporary, schema, use_byte_stream_split=split, **options) as writer,
    ):
        for first in range(0, len(table), together):
            group = list(islice(rows, together))
            columns = zip(*group, strict=True)
            cells = [pa.array(map(_flat, column), pa.list_(pa.float32())) for column in columns]
            whole = [*arrow.slice(first, len(group)).columns, *cells]
            writer.write_table(pa.Table.from_arrays(whole, schema=schema))


def _flat(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else np.asarray(array, np.float32).ravel()


def iter_arrays(path: Path, column: str, rows: Iterable[int]) -> Iterator[np.ndarray]:
    """Read the arrays of some rows of what `write_rows` wrote, flat, one group at a time."""
    file = _open(path)
    counts = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    ends = np.cumsum(counts)

    @lru_cache(maxsize=1)
    def read(group: int) -> pa.ChunkedArray:
        return file.read_row_group(group, columns=[column])[column]

    for row in rows:
        group = int(np.searchsorted(ends, row, side="right"))
        yield read(group)[int(row - ends[group] + counts[group])].values.to_numpy()


def write_timeseries(
    path: Path,
    scans: pd.DataFrame,
    arrays: Sequence[np.ndarray | None],
    manifest: Manifest,
    means: Sequence[np.ndarray | None] | None = None,
) -> None:
    """Write the time series of one shard.

    Parameters
    ----------
    path : Path
    scans : DataFrame
        One row per scan: `SCAN_ENTITIES`, ``status`` (ok or excluded), ``reason`` and the
        measures of quality.
    arrays : sequence of ndarray (regions, volumes) or None
        None where a scan is excluded.
    manifest : Manifest
    means : sequence of ndarray (regions, volumes) or None, optional
        Regional means before cleaning, to be kept beside.
    """
    order = np.argsort(scans["scan"].to_numpy(), kind="stable")
    columns = {"timeseries": arrays} | ({} if means is None else {"means": means})
    ordered = {name: [values[i] for i in order] for name, values in columns.items()}
    content = json.loads(manifest.model_dump_json())
    write_rows(path, scans.iloc[order], ordered, {"manifest": content})


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of a time-series file."""
    content = read_metadata(path).get("manifest")
    if content is None:
        raise UserError(f"{path} has no manifest, so it is not a time-series file of Semantoks.")
    return Manifest.model_validate(content)


def read_scan_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Read everything but the arrays of several shards, sorted by scan."""
    tables = []
    for path in paths:
        names = [name for name in _open(path).schema_arrow.names if name not in ARRAYS]
        tables.append(read_table(path, names))
    filled = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(filled, ignore_index=True).sort_values("scan", ignore_index=True)


def iter_scans(paths: Iterable[Path]) -> Iterator[Scan]:
    """Yield the included scans of several shards, sorted by scan, one at a time in memory."""
    files = list(paths)
    manifests = [read_manifest(path) for path in files]
    rows = sorted(
        (scan, number, group)
        for number, path in enumerate(files)
        for group, scan in enumerate(read_table(path, ["scan"])["scan"])
    )
    opened = lru_cache(maxsize=_OPEN_FILES)(_open)  # a data set may have thousands of shards
    for _, number, group in rows:
        columns = [*SCAN_ENTITIES, "timeseries"]
        for batch in opened(files[number]).read_row_group(group, columns=columns).to_batches():
            yield from _included(batch, manifests[number])


def _included(batch: pa.RecordBatch, manifest: Manifest) -> Iterator[Scan]:
    arrays = batch.column("timeseries")
    for index, entities in enumerate(batch.select(list(SCAN_ENTITIES)).to_pylist()):
        if arrays[index].is_valid:
            values = arrays[index].values.to_numpy(zero_copy_only=False)
            shaped = values.reshape(len(manifest.labels), -1)
            yield Scan(**entities, tr=manifest.tr, timeseries_CT=shaped)


def find_scan(path: Path, scan: str) -> tuple[Scan | None, Manifest]:
    """Read one scan of a file; None if it is not there or was excluded."""
    manifest, file = read_manifest(path), _open(path)
    names = file.read(columns=["scan"]).column("scan").to_pylist()
    if scan not in names:
        return None, manifest
    group = file.read_row_group(names.index(scan), columns=[*SCAN_ENTITIES, "timeseries"])
    found = [one for batch in group.to_batches() for one in _included(batch, manifest)]
    return (found[0] if found else None), manifest


def texts(values: Iterable[Any]) -> list[str]:
    """Return ids as text, whether they were stored as bytes, text or numbers."""
    return [one.decode() if isinstance(one, bytes) else str(one) for one in values]


def read_scans(paths: Iterable[Path]) -> list[Scan]:
    """Read the included scans of several shards, sorted by scan."""
    return list(iter_scans(paths))
