"""Every scan of a data set in one table: used or excluded and why, with its measures of quality."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import read_scan_table
from semantoks.data.scans.settings import ScansSettings


def scans(settings: ScansSettings, *, timeseries: Sequence[Path], out: Path) -> list[Path]:
    """Write one row per scan of several shards, sorted by scan: everything but the time series.

    What asks only who has a usable scan then opens one file and not every shard.
    """
    write_table(out, read_scan_table(timeseries))
    return [out]
