"""The BOLD runs of a raw BIDS data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import bids2table
import pandas as pd

from semantoks.data.index.files import problem_of, version_of, without_duplicates
from semantoks.data.index.shards import RawScan, scan_table
from semantoks.errors import UserError


class _BoldFile(NamedTuple):
    """A row of bids2table's index; entities that a name lacks are NaN or None."""

    path: str
    sub: str
    ses: str
    task: str
    run: float


def find_raw_scans(bids: Path, task: str | None = None) -> pd.DataFrame:
    """List the BOLD runs of a BIDS data set with what is needed to preprocess them.

    Parameters
    ----------
    bids : Path
    task : str, optional
        Default: all tasks.

    Returns
    -------
    DataFrame
        The columns of `RawScan`, one row per run, sorted.

    Raises
    ------
    UserError
        When there are no BOLD runs, or they are multi-echo.
    """
    files = bids2table.index_dataset(bids).to_pandas()
    images = files[files["ext"].isin([".nii.gz", ".nii"])]
    # Complex-valued acquisitions have a magnitude and a phase image of each run.
    bold = images[(images["suffix"] == "bold") & (images["part"] != "phase")]
    if task is not None:
        bold = bold[bold["task"] == task]
    # Otherwise every echo would count as a run.
    _require_single_echo(bold, bids, task)
    anatomy = images[images["suffix"] == "T1w"].sort_values("path")
    rows = bold[list(_BoldFile._fields)].itertuples(index=False, name=None)
    scans = [_describe(bids, _BoldFile(*row), anatomy) for row in rows]
    return without_duplicates(scan_table(scans, RawScan), "bold")


def _require_single_echo(bold: pd.DataFrame, bids: Path, task: str | None) -> None:
    if bold.empty:
        wanted = "BOLD image" if task is None else f"BOLD image of task '{task}'"
        raise UserError(
            f"{bids} has no {wanted} with a BIDS name (sub-*/func/*_bold.nii.gz). Correct `path` "
            "or `task` of the data set."
        )
    multi_echo = bold[bold["echo"].notna()]
    if len(multi_echo):
        raise UserError(
            f"{bids} has multi-echo runs ({multi_echo['path'].iloc[0]}), which are not supported. "
            "Choose another `task`, or combine the echoes first."
        )


def _describe(bids: Path, image: _BoldFile, anatomy: pd.DataFrame) -> RawScan:
    """Collect what preprocessing needs about a run."""
    metadata, problem = _metadata(bids / image.path)
    timing = metadata.get("SliceTiming")
    t1w = _t1w_of(image, anatomy)
    # Preprocessing reads the T1w image too, so its changes and broken links count.
    needed = [bids / name for name in (image.path, t1w) if name]
    return RawScan(
        scan=Path(image.path).name.split(".")[0].removesuffix("_bold"),
        participant_id=f"sub-{image.sub}",
        session="" if pd.isna(image.ses) else f"ses-{image.ses}",
        task="" if pd.isna(image.task) else str(image.task),
        run="" if pd.isna(image.run) else str(int(image.run)),
        bold=image.path,
        t1w=t1w,
        # A value that is not a number becomes NaN, and the scan fails with a reason later.
        repetition_time=pd.to_numeric(metadata.get("RepetitionTime"), errors="coerce"),
        slice_timing="" if timing is None else json.dumps(timing),
        slice_encoding_direction=metadata.get("SliceEncodingDirection", "k"),
        version=version_of(*needed),
        problem=problem or next(filter(None, map(problem_of, needed)), ""),
    )


def _metadata(bold: Path) -> tuple[dict[str, Any], str]:
    """Merge the sidecars that apply to a run; a broken one is a problem of this run alone."""
    try:
        return bids2table.load_bids_metadata(bold), ""
    except (OSError, ValueError) as error:
        return {}, f"a sidecar of {bold.name} cannot be read ({error})"


def _t1w_of(image: _BoldFile, anatomy: pd.DataFrame) -> str:
    """Path of the T1w image of the same session, else of the participant's first, else empty."""
    of_participant = anatomy[anatomy["sub"] == image.sub]
    if pd.isna(image.ses):
        of_session = of_participant
    else:
        of_session = of_participant[of_participant["ses"] == image.ses]
    chosen = of_session if len(of_session) else of_participant
    return str(chosen["path"].iloc[0]) if len(chosen) else ""
