"""Collect the scans of a data set in one table: included or excluded, why, and their quality."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.files import atomic
from semantoks.artifacts.recordings import recordings_of_blocks, recordings_of_runs
from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import (
    EXCLUDED,
    HELD_OUT,
    INCLUDED,
    SOURCE,
    read_manifest,
    read_scan_table,
)
from semantoks.config import PERSON
from semantoks.data.scans.settings import ScansSettings

log = logging.getLogger(__name__)


def scans(
    settings: ScansSettings,
    *,
    timeseries: Sequence[Path],
    out: Path,
    held_out: Path | None = None,
) -> list[Path]:
    """Write one row per scan of all shards, sorted by scan: everything but the time series.

    The column ``recording`` is added: scans with the same value are the same recording; and
    ``held_out``: whether the scan is of a participant who is held out of pretraining. Stages that
    only need to know which scans are included then read one file, not every shard.

    Parameters
    ----------
    settings : ScansSettings
    timeseries : sequence of Path
        Time-series files of the shards.
    out : Path
        Parquet file; its metadata are the engine and the space of the images.
    held_out : Path, optional
        ``held_out.tsv`` of `index`; without it, nobody is held out.

    Returns
    -------
    list of Path
        `out`, and ``<dataset>_excluded.tsv`` beside it: excluded scans and their reasons.
    """
    table = read_scan_table(timeseries)
    table["recording"] = _recordings(table)
    # The participant of a block is the block.
    people = table[PERSON if PERSON in table else "participant_id"]
    people = people.fillna(table["participant_id"])
    table[HELD_OUT] = people.isin(_read_ids(held_out) if held_out else ())
    excluded = out.with_name(f"{out.stem}_excluded.tsv")
    rows = table.loc[table["status"] == EXCLUDED, ["scan", "participant_id", "reason"]]
    with atomic(excluded, of_people=True) as temporary:
        rows.to_csv(temporary, sep="\t", index=False)
    if len(rows):
        log.info(
            "%d scans are used and %d excluded; `semantoks status` says why.",
            len(table) - len(rows),
            len(rows),
        )
    manifests = [read_manifest(path) for path in timeseries]
    # That of a shard whose scans are all excluded knows neither.
    manifest = next((known for known in manifests if known.space), manifests[0])
    write_table(out, table, {"engine": manifest.engine, "space": manifest.space})
    return [out, excluded]


def _read_ids(path: Path) -> list[str]:
    # An id may be "NA", and keeps its leading zeros.
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return list(table["participant_id"])


def _recordings(table: pd.DataFrame) -> np.ndarray:
    """Name the recording of each scan; an excluded scan is a recording of its own."""
    names = table["scan"].to_numpy(object, copy=True)
    included = (table["status"] == INCLUDED).to_numpy()
    if included.any():
        usable = table[included].reset_index(drop=True)
        of_blocks = SOURCE in table
        names[included] = (recordings_of_blocks if of_blocks else recordings_of_runs)(usable)
    return names
