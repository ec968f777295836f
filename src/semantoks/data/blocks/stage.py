"""Cut the runs of one shard into blocks: read its time series, write those of the blocks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import (
    EXCLUDED,
    SOURCE,
    Manifest,
    find_scan,
    read_manifest,
    read_scan_table,
    write_timeseries,
)
from semantoks.config import PERSON
from semantoks.data.blocks.cutting import Blocks, Run, cut, included
from semantoks.data.blocks.settings import BlocksSettings
from semantoks.data.blocks.sources import EventSource
from semantoks.data.index.shards import read_shard
from semantoks.errors import ScanError, UserError
from semantoks.gate import Gate

log = logging.getLogger(__name__)
ENDING = "_timeseries.parquet"


def blocks(
    settings: BlocksSettings,
    *,
    runs: Path,
    shard: Path,
    data: Path,
    out: Path,
    link_targets: Sequence[str] = (),
) -> list[Path]:
    """Write the time series of the blocks of one shard, and the table of their events.

    The runs were filtered as a whole, so that a block of 20 s may keep frequencies of 0.01 Hz, and
    z-scored as a whole, so that the mean of a region in a block says how active it is.

    Parameters
    ----------
    settings : BlocksSettings
    runs : Path
        Cleaned runs, written by `parcellate`.
    shard : Path
        Table of the shard, written by `index`.
    data : Path
        The data set.
    out : Path
        ``*_timeseries.parquet``, in the format of `parcellate`: one row per block, and one per run
        that is excluded or has no readable events, with the reason.
    link_targets : sequence of str
        Folders that links of the data set may lead to.

    Returns
    -------
    list of Path
        `out`, and ``*_blocks.parquet`` beside it: ``participant_id`` of the block, ``person`` and
        the columns of the events as text.
    """
    root = Path(settings.events.path or data)
    if not root.exists():
        raise UserError(f"There is no {root}. Correct `events.path` of the data set.")
    table = read_scan_table([runs])
    listed = {str(row["scan"]): row for row in read_shard(shard).to_dict("records")}
    with Gate(root, [Path(folder) for folder in link_targets]) as gate:
        source = EventSource(data, settings.events, gate)
        of_runs = [_blocks_of_run(run, runs, listed, source) for run in _records(table)]
    _log_windows(of_runs)
    _write(out, of_runs, read_manifest(runs), table)
    described = pd.concat([_NO_EVENTS, *(of_run.events for of_run in of_runs)])
    events = out.with_name(f"{out.name.removesuffix(ENDING)}_blocks.parquet")
    write_table(events, _as_text(described))
    return [out, events]


_NO_EVENTS = pd.DataFrame(columns=["participant_id", PERSON], dtype=object)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in table.to_dict("records")]


def _blocks_of_run(
    run: dict[str, Any], timeseries: Path, listed: dict[str, dict[str, Any]], source: EventSource
) -> Blocks:
    """Cut one run; one that cannot be cut becomes a row with its reason."""
    excluded = run | {PERSON: run["participant_id"], SOURCE: run["scan"]}
    if run["status"] == EXCLUDED:
        return Blocks([excluded], [None], _NO_EVENTS, 0)
    name = str(run["scan"])
    try:
        table = included(source.read(listed[name]), source.events)
        scan, manifest = find_scan(timeseries, name)
    except (ScanError, OSError) as error:
        reason = {"status": EXCLUDED, "reason": _reason(error)}
        return Blocks([excluded | reason], [None], _NO_EVENTS, 0)
    assert scan is not None  # it is included
    return cut(Run(run, scan.timeseries_CT, manifest.tr), table, source.events)


def _reason(error: ScanError | OSError) -> str:
    return str(error) if isinstance(error, ScanError) else f"events: {error}"


def _log_windows(of_runs: Sequence[Blocks]) -> None:
    """Say how many windows are left out, and how many have volumes in common."""
    windows = sum(len(of_run.events) for of_run in of_runs)
    usable = sum(array is not None for of_run in of_runs for array in of_run.timeseries)
    overlapping = sum(of_run.overlapping for of_run in of_runs)
    if usable < windows:
        log.warning(
            "%d of %d windows do not fit their run and are left out", windows - usable, windows
        )
    if overlapping:
        log.warning(
            "%d of %d windows overlap the one before, so these blocks have volumes in common",
            *(overlapping, windows),
        )


def _write(out: Path, of_runs: Sequence[Blocks], manifest: Manifest, runs: pd.DataFrame) -> None:
    rows = [row for of_run in of_runs for row in of_run.rows]
    arrays = [array for of_run in of_runs for array in of_run.timeseries]
    numbers = [name for name in runs if pd.api.types.is_float_dtype(runs[name])]
    table = pd.DataFrame(rows, columns=[*runs.columns, PERSON, SOURCE, "onset", "duration"])
    table = table.astype(dict.fromkeys([*numbers, "onset", "duration"], float))
    write_timeseries(out, table, arrays, manifest)


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Write every cell as text, so that the columns of all shards have one type."""
    return table.reset_index(drop=True).map(_text).astype("string")


def _text(cell: object) -> str | None:
    if cell is None or cell != cell:  # NaN
        return None
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)
