"""One shard: its scans shared among processes, and the table of what became of them."""

from __future__ import annotations

import logging
import os
import time
from functools import partial
from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import atomic_folder
from semantoks.config import Preprocessing
from semantoks.data.preprocess.fmriprep.engine import preprocess_with_fmriprep
from semantoks.data.preprocess.minimal.derivatives import describe, write_tsv
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
    scans: pd.DataFrame,
    bids: Path,
    out: Path,
    settings: Preprocessing,
    threads: int,
    memory: int = 0,
) -> pd.DataFrame:
    """Preprocess one shard.

    Parameters
    ----------
    scans
        Rows of the index: ``scan``, ``participant_id``, ``bold`` and ``t1w`` (paths in the data
        set), ``repetition_time`` (s), ``slice_timing`` (JSON list, s) and
        ``slice_encoding_direction``.
    bids
        The raw data set.
    out
        Folder of the derivatives, in fMRIPrep's layout; what an earlier run left is replaced.
    settings
        Engine and voxel sizes.
    threads
        Number of processes; the result does not depend on it.
    memory
        MB that fMRIPrep may use, 0 when it is not known.

    Returns
    -------
    DataFrame
        One row per scan, in the order given, also written as ``scans.tsv``: ``status`` (ok or
        failed), ``reason``, ``seconds`` (of CPU; with fMRIPrep a scan's part of the time its
        call took), ``dice`` (brain mask against template) and
        ``correlation`` (T1w image with the template), both missing with fMRIPrep, ``mean_fd``
        (mm), ``n_volumes``, ``repetition_time`` (s).

    Raises
    ------
    UserError
        When fMRIPrep is wanted and cannot be started.
    """
    good, bad = scans[scans["problem"] == ""], scans[scans["problem"] != ""]
    with atomic_folder(out) as folder:
        if settings.engine == "fmriprep":
            work = out.absolute().with_name(f"{out.name}_work")
            engine = settings.fmriprep
            rows = preprocess_with_fmriprep(good, bids, folder, work, engine, threads, memory)
        else:
            describe(folder)
            rows = _work(good, bids, folder, settings, threads) if len(good) else []
        rows += [
            {**row, "status": "failed", "reason": row["problem"]} for row in bad.to_dict("records")
        ]
        table = pd.DataFrame(rows, columns=COLUMNS).astype({"n_volumes": "Int64"})
        table = table.set_index("scan").loc[scans["scan"]].reset_index()
        write_tsv(folder / "scans.tsv", table)
    return table


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
