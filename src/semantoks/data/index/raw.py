"""The BOLD runs of a raw BIDS data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bids2table
import pandas as pd

from semantoks.data.index.files import problem_of, version_of, without_duplicates
from semantoks.errors import UserError


def find_scans(bids: Path, task: str | None = None) -> pd.DataFrame:
    """List the BOLD runs of a BIDS data set with what is needed to preprocess them.

    Returns
    -------
    DataFrame
        One row per run, sorted: ``scan`` (file name without suffix), ``participant_id``,
        ``session``, ``task``, ``run``, ``bold`` and ``t1w`` (relative paths, ``t1w`` may be
        empty), ``repetition_time`` (s), ``slice_timing`` (JSON list, s),
        ``slice_encoding_direction``, ``version`` (changes when a file does), ``problem`` (why a
        run cannot be used, mostly empty).

    Raises
    ------
    UserError
        When there is no run, or runs are in several echoes.
    """
    files = bids2table.index_dataset(bids).to_pandas()
    images = files[files["ext"].isin([".nii.gz", ".nii"])]
    bold = images[(images["suffix"] == "bold") & (images["part"] != "phase")]
    if task is not None:
        bold = bold[bold["task"] == task]
    if bold.empty:
        what = "BOLD image" if task is None else f"BOLD image of task '{task}'"
        raise UserError(f"{bids} holds no {what} named as BIDS asks (sub-*/func/*_bold.nii.gz).")
    if bold["echo"].notna().any():
        raise UserError(
            f"{bids} has multi-echo runs ({bold.loc[bold['echo'].notna(), 'path'].iloc[0]}), and "
            "echoes cannot be combined yet. Choose another `task`, or combine them first."
        )
    anatomy = images[images["suffix"] == "T1w"].sort_values("path")
    rows = [_describe(bids, row, anatomy) for row in bold.itertuples()]
    return without_duplicates(pd.DataFrame(rows), "bold")


def _describe(bids: Path, row: Any, anatomy: pd.DataFrame) -> dict[str, Any]:
    metadata, problem = _metadata(bids / row.path)
    timing = metadata.get("SliceTiming")
    t1w = _anatomy_of(row, anatomy)
    needed = [bids / name for name in (row.path, t1w) if name]
    return {
        "scan": Path(row.path).name.split(".")[0].removesuffix("_bold"),
        "participant_id": f"sub-{row.sub}",
        "session": "" if pd.isna(row.ses) else f"ses-{row.ses}",
        "task": "" if pd.isna(row.task) else str(row.task),
        "run": "" if pd.isna(row.run) else str(int(row.run)),
        "bold": row.path,
        "t1w": t1w,
        "repetition_time": pd.to_numeric(metadata.get("RepetitionTime"), errors="coerce"),
        "slice_timing": "" if timing is None else json.dumps(timing),
        "slice_encoding_direction": metadata.get("SliceEncodingDirection", "k"),
        "version": version_of(*needed),
        "problem": problem or next(filter(None, map(problem_of, needed)), ""),
    }


def _metadata(bold: Path) -> tuple[dict[str, Any], str]:
    """Read the sidecars of a run; what keeps them from being read is a problem of this run."""
    try:
        return bids2table.load_bids_metadata(bold), ""
    except (OSError, ValueError) as error:
        return {}, f"a sidecar of {bold.name} cannot be read ({error})"


def _anatomy_of(row: Any, anatomy: pd.DataFrame) -> str:
    """T1w image of the same session, else the first of the same person, else none."""
    own = anatomy[anatomy["sub"] == row.sub]
    same = own if pd.isna(row.ses) else own[own["ses"] == row.ses]
    chosen = same if len(same) else own
    return str(chosen["path"].iloc[0]) if len(chosen) else ""
