"""Regional time series, one row per scan, each in a row group of its own.

One scan of thousands can so be read without touching the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from semantoks.artifacts.tables import open_parquet, read_metadata, read_table, write_rows
from semantoks.config import PERSON, Settings
from semantoks.errors import ScanError, UserError

_OPEN_FILES = 64
_SHOWN = 3  # names of regions in the representation of a manifest
AMPLITUDE = "amplitude"  # column
ARRAYS = ("timeseries", AMPLITUDE, "means")
SCAN_ENTITIES = ("scan", "participant_id", "session", "task", "run")
INCLUDED, EXCLUDED = "ok", "excluded"  # values of the column `status`
SOURCE = "source"  # column of the run that a block was cut out of
HELD_OUT = "held_out"  # column: whether no model is trained on the person


class Manifest(Settings):
    """What the time series in a file are: a model accepts only series like those it was trained on.

    ``labels`` and ``networks`` are in the order of the rows of each time series.
    """

    atlas: str
    atlas_sha256: str
    labels: tuple[str, ...]
    networks: tuple[str, ...]
    # Empty if every scan of the file was excluded.
    space: str
    # The TR after resampling. That of the scan is in its row: it may differ between sites.
    tr: float
    low_pass: float | None
    high_pass: float | None
    confounds: str
    engine: str

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            # Hundreds of names of regions say little.
            is_long = isinstance(value, tuple) and len(value) > _SHOWN
            yield name, (*value[:_SHOWN], ...) if is_long else value


@dataclass(frozen=True)
class Scan:
    """An included scan: its entities and its cleaned regional time series.

    Attributes
    ----------
    timeseries_CT : ndarray of float32, shape (regions, volumes)
        z-scored per region; all NaN for a region without coverage.
    tr : float
        Repetition time in seconds.
    amplitude_C : ndarray of float32, shape (regions,), or None
        Log standard deviation of each region before the z-score, NaN where the time series is. None
        for blocks, and for files that were written before there was such a column.
    """

    scan: str
    participant_id: str
    session: str
    task: str
    run: str
    tr: float
    timeseries_CT: np.ndarray
    amplitude_C: np.ndarray | None = None


def write_timeseries(
    path: Path,
    scans: pd.DataFrame,
    arrays: Sequence[np.ndarray | None],
    manifest: Manifest,
    means: Sequence[np.ndarray | None] | None = None,
    amplitudes: Sequence[np.ndarray | None] | None = None,
) -> None:
    """Write the time series of one shard.

    Parameters
    ----------
    path : Path
    scans : DataFrame
        One row per scan: `SCAN_ENTITIES`, ``status`` (`INCLUDED` or `EXCLUDED`), ``reason`` and the
        measures of quality.
    arrays : sequence of ndarray (regions, volumes) or None
        None where a scan is excluded.
    manifest : Manifest
    means : sequence of ndarray (regions, volumes) or None, optional
        Regional means before cleaning, stored in a column of their own.
    amplitudes : sequence of ndarray (regions,) or None, optional
        Log standard deviations before the z-score, stored in a column of their own.
    """
    # Sorted, so that the order in which scans were processed does not change the bytes.
    order = np.argsort(scans["scan"].to_numpy(), kind="stable")
    columns = dict(zip(ARRAYS, (arrays, amplitudes, means), strict=True))
    ordered = {
        name: [values[i] for i in order] for name, values in columns.items() if values is not None
    }
    content = json.loads(manifest.model_dump_json())
    write_rows(path, scans.iloc[order], ordered, {"manifest": content})


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of a time-series file."""
    content = read_metadata(path).get("manifest")
    if content is None:
        raise UserError(
            f"{path} has no manifest, so it is not a time-series file of Semantoks. Name another "
            "file."
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise UserError(
            f"{path} has a manifest of another version of Semantoks ({error.error_count()} "
            "fields differ). Make the time series again."
        ) from None


def read_scan_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Read everything but the arrays of several shards, sorted by scan."""
    tables = []
    for path in paths:
        names = [name for name in open_parquet(path).schema_arrow.names if name not in ARRAYS]
        tables.append(read_table(path, names))
    # The columns of an empty shard have no type, and would turn those of all shards to object.
    filled = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(filled, ignore_index=True).sort_values("scan", ignore_index=True)


def included_scans(scans: pd.DataFrame) -> pd.DataFrame:
    """Select the scans that have time series from a table with the column ``status``."""
    return scans[scans["status"] == INCLUDED]


def require_included(paths: Sequence[Path], action: str) -> pd.DataFrame:
    """Read the table of included scans of several shards, sorted by scan.

    Parameters
    ----------
    paths : sequence of Path
    action : str
        What is to be done with them, for the message, such as ``embed``.

    Raises
    ------
    UserError
        If there is none.
    """
    scans = read_scan_table(paths)
    table = included_scans(scans).reset_index(drop=True)
    if table.empty:
        raise UserError(
            f"Every scan was excluded, so there is nothing to {action}.{why_excluded(scans)} The "
            "column `reason` of the time series files says why."
        )
    return table


def why_excluded(scans: pd.DataFrame) -> str:
    """Return a sentence on the commonest reason of exclusion; empty if no scan is excluded.

    Parameters
    ----------
    scans : DataFrame
        Included and excluded scans, with ``status`` and ``reason``.
    """
    reasons = scans.loc[scans["status"] == EXCLUDED, "reason"].astype(str)
    if reasons.empty:
        return ""
    # The same reason quotes another number or file of each scan.
    kinds = reasons.str.replace(r"\S*\d\S*|\S+[./]\S+", "…", regex=True)
    commonest = kinds.value_counts().sort_index(kind="stable").idxmax()
    same = reasons[kinds == commonest]
    return (
        f" {len(reasons)} of {len(scans)} scans are excluded, {len(same)} of them for the reason: "
        f"{same.iloc[0].rstrip('.')}."
    )


def whole_runs(scans: pd.DataFrame) -> pd.DataFrame:
    """Select the scans that a model may be pretrained on: the included ones.

    Of a table of blocks, these are the runs that the blocks were cut out of, also those of which no
    block can be used.

    Parameters
    ----------
    scans : DataFrame
        Included and excluded scans or blocks. In one row of each run are its fingerprints.

    Returns
    -------
    DataFrame
        ``scan`` and ``participant_id`` are those of the run.
    """
    if SOURCE not in scans:
        return included_scans(scans)
    runs = scans.dropna(subset="fingerprint").drop_duplicates(SOURCE)
    return runs.assign(scan=runs[SOURCE], participant_id=runs[PERSON]).reset_index(drop=True)


def iter_scans(
    paths: Iterable[Path], is_wanted: Callable[[Path, str], bool] = lambda path, scan: True
) -> Iterator[Scan]:
    """Yield the included scans of several shards, sorted by scan, one at a time in memory.

    Parameters
    ----------
    paths : iterable of Path
    is_wanted : callable, optional
        Whether a scan of a file is read (default: all).
    """
    files = list(paths)
    manifests = [read_manifest(path) for path in files]
    # Each scan is a row group (`write_rows`), so the number of its row is that of its group.
    rows = sorted(
        (scan, number, group)
        for number, path in enumerate(files)
        for group, scan in enumerate(read_table(path, ["scan"])["scan"])
        if is_wanted(path, scan)
    )
    # A data set may have more shards than a process may have open files.
    opened = lru_cache(maxsize=_OPEN_FILES)(open_parquet)
    for _, number, group in rows:
        for batch in _read_scan(opened(files[number]), group):
            yield from _included(batch, manifests[number])


def _read_scan(file: pq.ParquetFile, group: int) -> list[pa.RecordBatch]:
    # pyarrow leaves out columns that a file does not have.
    return file.read_row_group(group, [*SCAN_ENTITIES, "timeseries", AMPLITUDE]).to_batches()


def _included(batch: pa.RecordBatch, manifest: Manifest) -> Iterator[Scan]:
    arrays = batch.column("timeseries")
    amplitudes = batch.column(AMPLITUDE) if AMPLITUDE in batch.schema.names else None
    for index, entities in enumerate(batch.select(list(SCAN_ENTITIES)).to_pylist()):
        if arrays[index].is_valid:
            shaped = _values(arrays[index]).reshape(len(manifest.labels), -1)
            amplitude_C = None
            if amplitudes is not None and amplitudes[index].is_valid:
                amplitude_C = _values(amplitudes[index])
            yield Scan(**entities, tr=manifest.tr, timeseries_CT=shaped, amplitude_C=amplitude_C)


def _values(cell: pa.ListScalar) -> np.ndarray:
    return np.asarray(cell.values.to_numpy(zero_copy_only=False))


def find_scan(path: Path, scan: str) -> tuple[Scan | None, Manifest]:
    """Read one scan of a file; None if it is absent or excluded."""
    manifest, file = read_manifest(path), open_parquet(path)
    names = file.read(columns=["scan"]).column("scan").to_pylist()
    if scan not in names:
        return None, manifest
    if file.num_row_groups != len(names):
        raise ScanError(
            f"{path.name} was written again by other software: it has {len(names)} scans in "
            f"{file.num_row_groups} row groups, and each needs its own. Take the original file"
        )
    batches = _read_scan(file, names.index(scan))
    included = [item for batch in batches for item in _included(batch, manifest)]
    return (included[0] if included else None), manifest


def find_measures(path: Path, scan: str, names: Iterable[str]) -> dict[str, float]:
    """Read numbers of a scan that `find_scan` finds, as far as the file has and knows them.

    Parameters
    ----------
    path : Path
    scan : str
    names : iterable of str
        Columns.
    """
    file = open_parquet(path)
    types = {field.name: field.type for field in file.schema_arrow}
    columns = [name for name in names if name in types and pa.types.is_floating(types[name])]
    group = file.read(columns=["scan"]).column("scan").to_pylist().index(scan)
    (row,) = file.read_row_group(group, ["scan", *columns]).to_pylist()
    return {name: row[name] for name in columns if row[name] is not None and np.isfinite(row[name])}
