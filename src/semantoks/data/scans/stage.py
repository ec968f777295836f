"""Collect the scans of a data set in one table: included or excluded, why, and their quality."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.files import atomic
from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import EXCLUDED, read_scan_table
from semantoks.data.scans.settings import ScansSettings


def scans(settings: ScansSettings, *, timeseries: Sequence[Path], out: Path) -> list[Path]:
    """Write one row per scan of all shards, sorted by scan: everything but the time series.

    Stages that only need to know which scans are included then read one file, not every shard.

    Parameters
    ----------
    settings : ScansSettings
    timeseries : sequence of Path
        Time-series files of the shards.
    out : Path
        Parquet file.

    Returns
    -------
    list of Path
        `out`, and ``<dataset>_excluded.tsv`` beside it: excluded scans and their reasons.
    """
    table = read_scan_table(timeseries)
    excluded = out.with_name(f"{out.stem}_excluded.tsv")
    rows = table.loc[table["status"] == EXCLUDED, ["scan", "participant_id", "reason"]]
    with atomic(excluded) as temporary:
        rows.to_csv(temporary, sep="\t", index=False)
    write_table(out, table)
    return [out, excluded]
