"""Participants that are in several folders of a data set, such as two releases of it."""

from __future__ import annotations

import filecmp
import logging
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from semantoks.data.layout import split_at_participant

log = logging.getLogger(__name__)
METADATA = ["repetition_time", "slice_timing", "slice_encoding_direction"]


def without_copies(scans: pd.DataFrame, bids: Path) -> pd.DataFrame:
    """Keep the first of runs that several folders hold, if all that is read of them is the same.

    Images must be equal byte by byte, and their metadata too. What differs stays, and becomes a
    problem of the scan later.

    Parameters
    ----------
    scans : DataFrame
        The columns of `RawScan`.
    bids : Path
    """
    ordered = scans.sort_values(["scan", "bold"], ignore_index=True)
    repeated = ordered[ordered["scan"].duplicated(keep=False) & (ordered["problem"] == "")]
    copies = list[int]()
    for _, rows in repeated.groupby("scan"):
        same_metadata = len(rows[METADATA].astype(str).drop_duplicates()) == 1
        # Each in a folder of its own: twice in one folder is no copy of a release.
        folders = {split_at_participant(name)[0] for name in rows["bold"]}
        images = all(_are_same(bids, rows[column]) for column in ("bold", "t1w"))
        if same_metadata and len(folders) == len(rows) and images:
            copies += list(rows.index[1:])
    if copies:
        log.warning(
            "%d run(s) are in several folders, with the same images and sidecars, such as %s; the "
            "first of the folders is used",
            *(len(copies), ordered["scan"][copies[0]]),
        )
    return ordered.drop(index=copies).reset_index(drop=True)


def in_one_folder(scans: pd.DataFrame, bids: Path, *, by_fmriprep: bool) -> pd.DataFrame:
    """Record a problem for participants whose images would be preprocessed to the same names.

    Parameters
    ----------
    scans : DataFrame
        The columns of `RawScan`.
    bids : Path
    by_fmriprep : bool
        It takes a participant as a whole, from one data set.
    """
    usable = scans[scans["problem"] == ""]
    for participant, rows in usable.groupby("participant_id"):
        folders = sorted({split_at_participant(name)[0] for name in rows["bold"]})
        t1w = rows["t1w"].groupby(rows["t1w"].map(lambda name: Path(name).name))
        if len(folders) == 1 or not (
            by_fmriprep or any(not _are_same(bids, names) for _, names in t1w)
        ):
            continue
        why = (
            "fMRIPrep takes one from a single folder" if by_fmriprep else "their T1w images differ"
        )
        scans.loc[rows.index, "problem"] = (
            f"{participant} is in several folders ({', '.join(folders)}), and {why}: list the "
            "images of one of them in its .bidsignore"
        )
    return scans


def _are_same(bids: Path, names: Iterable[str]) -> bool:
    """Whether images are the same file, byte by byte; or there is none at all."""
    first, *others = dict.fromkeys(names)
    if not others or not first:
        return not others
    try:
        return all(
            other and filecmp.cmp(bids / first, bids / other, shallow=False) for other in others
        )
    except OSError:
        return False
