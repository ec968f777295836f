"""What is in a raw BIDS data set: its scans, its people, and who goes into which shard."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import bids2table
import pandas as pd

from semantoks.errors import UserError
from semantoks.store import atomic, write_table

log = logging.getLogger(__name__)


def shard_of(participant_id: str, shards: int) -> int:
    """Shard of a person: decided by the id alone, so that nobody moves when others come."""
    return int(hashlib.sha1(participant_id.encode()).hexdigest(), 16) % shards


def read_participants(path: Path) -> pd.DataFrame:
    """Read participants.tsv, sorted by participant.

    Raises
    ------
    UserError
        When the file is missing or empty, or a person stands in it twice.
    """
    if not path.exists():
        raise UserError(
            f"There is no {path}. Set the data set's `path` in the configuration to a BIDS folder "
            "with a participants.tsv."
        )
    # BIDS knows one way to say that a value is missing; "None" may well be a class.
    table = pd.read_csv(
        path,
        sep="\t",
        dtype={"participant_id": str},
        keep_default_na=False,
        na_values=["n/a", ""],
        quoting=csv.QUOTE_NONE,
        encoding="utf-8-sig",
    )
    if "participant_id" not in table or table.empty:
        raise UserError(f"{path} has no rows under a column participant_id; BIDS wants one each.")
    twice = table["participant_id"][table["participant_id"].duplicated()].unique()
    if len(twice):
        raise UserError(f"{path} lists {', '.join(twice[:3])} more than once; keep one row each.")
    return table.sort_values("participant_id", ignore_index=True)


def find_scans(bids: Path, task: str | None = None) -> pd.DataFrame:
    """List the BOLD runs of a BIDS data set with what is needed to preprocess them.

    Returns
    -------
    DataFrame
        One row per run, sorted: ``scan`` (file name without suffix), ``participant_id``,
        ``session``, ``task``, ``run``, ``bold`` and ``t1w`` (relative paths, ``t1w`` may be
        empty), ``repetition_time`` (s), ``slice_timing`` (JSON list, s),
        ``slice_encoding_direction``, ``version`` (changes when a file does).

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
    return pd.DataFrame(rows).sort_values("scan", ignore_index=True)


def _describe(bids: Path, row: Any, anatomy: pd.DataFrame) -> dict[str, Any]:
    metadata = bids2table.load_bids_metadata(bids / row.path)
    timing = metadata.get("SliceTiming")
    t1w = _anatomy_of(row, anatomy)
    return {
        "scan": Path(row.path).name.split(".")[0].removesuffix("_bold"),
        "participant_id": f"sub-{row.sub}",
        "session": "" if pd.isna(row.ses) else f"ses-{row.ses}",
        "task": "" if pd.isna(row.task) else str(row.task),
        "run": "" if pd.isna(row.run) else str(int(row.run)),
        "bold": row.path,
        "t1w": t1w,
        "repetition_time": float(metadata.get("RepetitionTime", "nan")),
        "slice_timing": "" if timing is None else json.dumps(timing),
        "slice_encoding_direction": metadata.get("SliceEncodingDirection", "k"),
        "version": " ".join(_version(bids / name) for name in (row.path, t1w) if name),
    }


def _version(path: Path) -> str:
    """Size and time of a file: a replaced image changes its shard's table, without being read."""
    about = path.stat()
    return f"{about.st_size}@{about.st_mtime_ns}"


def _anatomy_of(row: Any, anatomy: pd.DataFrame) -> str:
    """T1w image of the same session, else the first of the same person, else none."""
    own = anatomy[anatomy["sub"] == row.sub]
    same = own if pd.isna(row.ses) else own[own["ses"] == row.ses]
    chosen = same if len(same) else own
    return str(chosen["path"].iloc[0]) if len(chosen) else ""


def index(bids: Path, out: Path, shards: int, task: str | None) -> list[Path]:
    """Write ``scans.parquet``, ``participants.parquet`` and a ``shard-NNNN.tsv`` per shard.

    A shard file whose content stays the same is not touched, so nothing that hangs on it is
    worked on again.

    Returns
    -------
    list of Path
        What was written beside ``scans.parquet``.
    """
    participants = read_participants(bids / "participants.tsv")
    scans = find_scans(bids, task)
    _compare(scans, participants, bids)
    scans["shard"] = [shard_of(person, shards) for person in scans["participant_id"]]
    tables = [out / f"shard-{shard:04d}.tsv" for shard in range(shards)]
    for shard, path in enumerate(tables):
        part = scans[scans["shard"] == shard].drop(columns="shard")
        _write_if_changed(path, part.to_csv(sep="\t", index=False))
    for surplus in set(out.glob("shard-*.tsv")) - set(tables):  # there were more shards once
        surplus.unlink()
    write_table(out / "participants.parquet", participants)
    write_table(out / "scans.parquet", scans)
    return [out / "participants.parquet", *tables]


def _write_if_changed(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _compare(scans: pd.DataFrame, participants: pd.DataFrame, bids: Path) -> None:
    scanned, listed = set(scans["participant_id"]), set(participants["participant_id"])
    if not scanned & listed:
        raise UserError(
            f"Nobody with a scan is in {bids}/participants.tsv (scans: {min(scanned)}, …; table: "
            f"{min(listed)}, …). Write participant_id as BIDS does, sub-<label>."
        )
    log.info("%d scans of %d people", len(scans), len(scanned))
    if scanned - listed:
        log.warning("%d people with scans are not in participants.tsv", len(scanned - listed))
    if listed - scanned:
        log.warning("%d people in participants.tsv have no scan", len(listed - scanned))
