"""One shard: its scans shared among processes, and the table of what became of them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from semantoks.artifacts.files import atomic_folder
from semantoks.artifacts.tables import read_shard
from semantoks.config import Preprocessing
from semantoks.data.preprocess.fmriprep.engine import preprocess_with_fmriprep
from semantoks.data.preprocess.minimal.derivatives import describe, write_tsv
from semantoks.data.preprocess.settings import PreprocessSettings
from semantoks.system.workers import completed

log = logging.getLogger(__name__)

COLUMNS = [
    "scan",
    "participant_id",
    "status",
    "reason",
    "seconds",
    "dice",
    "correlation",
    "mean_fd",
    "n_volumes",
    "repetition_time",
]
ITK_THREADS = "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"


def preprocess(
    settings: PreprocessSettings,
    *,
    scans: Path,
    bids: Path,
    out: Path,
    threads: int = 1,
    memory: int = 0,
    running: Mapping[str, Any] = MappingProxyType({}),
) -> list[Path]:
    """Preprocess one shard.

    Parameters
    ----------
    settings : PreprocessSettings
    scans : Path
        Table of the shard, as `semantoks.data.index` writes it.
    bids : Path
        The raw data set.
    out : Path
        Folder of the derivatives, in fMRIPrep's layout; what an earlier run left is replaced. Its
        ``scans.tsv`` has one row per scan: ``status`` (ok or failed), ``reason``, ``seconds`` (of
        CPU; with fMRIPrep a scan's share of the time its call took), ``dice`` (brain mask against
        template) and ``correlation`` (T1w image with the template), both missing with fMRIPrep,
        ``mean_fd`` (mm), ``n_volumes``, ``repetition_time`` (s).
    threads : int
        Number of processes; the result does not depend on it.
    memory : int
        MB that fMRIPrep may use, 0 when it is not known.
    running : mapping
        Settings of `Fmriprep` that change how it is run but not what it makes.

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        When fMRIPrep is wanted and cannot be started.
    """
    chosen = _with(settings.preprocessing, running)
    preprocess_shard(read_shard(scans), bids, out, chosen, threads, memory)
    return [out]


def preprocess_shard(
    table: pd.DataFrame,
    bids: Path,
    out: Path,
    chosen: Preprocessing,
    threads: int,
    memory: int = 0,
) -> pd.DataFrame:
    """Preprocess the scans of a table; return, and write as ``scans.tsv``, what became of them."""
    good, bad = table[table["problem"] == ""], table[table["problem"] != ""]
    with atomic_folder(out) as folder:
        if chosen.engine == "fmriprep":
            work = out.absolute().with_name(f"{out.name}_work")
            engine = chosen.fmriprep
            rows = preprocess_with_fmriprep(good, bids, folder, work, engine, threads, memory)
        else:
            describe(folder)
            rows = _work(good, bids, folder, chosen, threads) if len(good) else []
        rows += [
            {**row, "status": "failed", "reason": row["problem"]} for row in bad.to_dict("records")
        ]
        done = pd.DataFrame(rows, columns=COLUMNS).astype({"n_volumes": "Int64"})
        done = done.set_index("scan").loc[table["scan"]].reset_index()
        write_tsv(folder / "scans.tsv", done)
    return done


def _with(settings: Preprocessing, running: Mapping[str, Any]) -> Preprocessing:
    changed = {"fmriprep": settings.fmriprep.model_dump() | dict(running)}
    return Preprocessing.model_validate(settings.model_dump() | changed)


def _work(
    scans: pd.DataFrame, bids: Path, out: Path, settings: Preprocessing, threads: int
) -> list[dict[str, object]]:
    # One ITK thread per process: several give results that differ in the last bits.
    os.environ[ITK_THREADS] = "1"
    from semantoks.data.preprocess.minimal.engine import (
        preprocess_session,  # ANTs reads the variable
    )

    work = partial(preprocess_session, bids=bids, out=out, settings=settings)
    # A scan without T1w image shares nothing: it is a session of its own.
    alone = scans["t1w"].where(scans["t1w"] != "", scans["scan"])
    sessions = [group.to_dict("records") for _, group in scans.groupby(alone, sort=False)]
    started, rows = time.monotonic(), list[dict[str, object]]()
    for done in completed(work, sessions, threads):
        rows += done
        left = (time.monotonic() - started) / len(rows) * (len(scans) - len(rows))
        log.info("%d of %d scans, %.0f s left", len(rows), len(scans), left)
    return rows
