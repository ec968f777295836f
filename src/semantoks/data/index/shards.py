"""Shard tables: the scans that one job preprocesses or parcellates, one row per scan.

The fields of the classes below are the columns of the tables, in this order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from semantoks.data.layout import split_at_participant


@dataclass(frozen=True)
class RawScan:
    """One BOLD run of a raw BIDS data set.

    Attributes
    ----------
    scan : str
        File name without suffix and extension; unique in the data set.
    participant_id, session, task, run : str
        BIDS entities, ``sub-`` and ``ses-`` included; empty where there is none.
    bold, t1w : str
        Images, relative to the data set; ``t1w`` is empty if the participant has none.
    repetition_time : float
        Seconds; NaN if no sidecar states it.
    slice_timing : str
        JSON list of seconds, or empty.
    slice_encoding_direction : str
    version : str
        Changes when one of the images does.
    problem : str
        Why the scan cannot be used; usually empty.
    """

    scan: str
    participant_id: str
    session: str = ""
    task: str = ""
    run: str = ""
    bold: str = ""
    t1w: str = ""
    repetition_time: float = float("nan")
    slice_timing: str = ""
    slice_encoding_direction: str = ""
    version: str = ""
    problem: str = ""

    @property
    def bold_name(self) -> str:
        """Path of the run in a BIDS data set of its own, after which derivatives are named."""
        _, name = split_at_participant(self.bold)
        return name if self.is_bids else self._named("func", f"{self.scan}_bold.nii.gz")

    @property
    def t1w_name(self) -> str:
        """Path of the T1w image, likewise; empty if there is none."""
        _, name = split_at_participant(self.t1w)
        stem = "_".join(filter(None, (self.participant_id, self.session)))
        is_bids = self.is_bids or not self.t1w
        return (name if self.t1w else "") if is_bids else self._named("anat", f"{stem}_T1w.nii.gz")

    @property
    def is_bids(self) -> bool:
        """Whether its file has a BIDS name; others were found by a template."""
        name = Path(self.bold).name
        named = re.fullmatch(rf"{re.escape(self.participant_id)}_.*_bold\.nii(\.gz)?", name)
        return not self.bold or named is not None

    def _named(self, datatype: str, name: str) -> str:
        return "/".join(filter(None, (self.participant_id, self.session, datatype, name)))


@dataclass(frozen=True)
class DerivativeScan:
    """One scan of a data set that starts from preprocessed images or time series.

    Attributes
    ----------
    scan, participant_id, session, task, run, version, problem : str
        As for `RawScan`; ``version`` also changes with the files beside it that are read.
    file : str
        Image or table, relative to the data set. An image in one space stands for those in others.
    repetition_time : float
        Seconds, as the configuration gives it for files that do not state it; NaN if it does not.
    """

    scan: str
    participant_id: str
    session: str
    task: str
    run: str
    file: str
    version: str
    problem: str
    repetition_time: float = float("nan")


# Control characters, line separators of Unicode, and bytes that are no UTF-8.
_UNSTORABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")
ScanT = TypeVar("ScanT", RawScan, DerivativeScan)


def shard_of(participant_id: str, shards: int) -> int:
    """Shard of a participant, from the id alone: new participants never move others."""
    # Python's own `hash` of a string differs from process to process.
    return int(hashlib.sha1(participant_id.encode()).hexdigest(), 16) % shards


def scan_table(scans: Iterable[ScanT], kind: type[ScanT]) -> pd.DataFrame:
    """Make a table of scans, one column per field."""
    # Columns are named, so that a table without scans has them too.
    rows = (vars(_storable(scan)) for scan in scans)
    return pd.DataFrame(rows, columns=[field.name for field in fields(kind)])


def _storable(scan: ScanT) -> ScanT:
    """Give a scan a problem if its names cannot be written to a table of text, or shown.

    Such names are not UTF-8, or have line breaks, tabs or commands for a terminal. They are usually
    damage, from an archive of another system for instance.
    """
    odd = {name: text for name, text in vars(scan).items() if _UNSTORABLE.search(str(text))}
    if not odd:
        return scan
    changes: dict[str, Any] = {name: _UNSTORABLE.sub(_escaped, text) for name, text in odd.items()}
    changes["problem"] = (
        "its file name has characters that are no UTF-8 text or control a terminal; rename it"
    )
    return replace(scan, **changes)


def _escaped(match: re.Match[str]) -> str:
    return ascii(match[0])[1:-1]  # which keeps names apart


def read_shard(path: Path) -> pd.DataFrame:
    """Read the table of a shard: text, but for ``repetition_time``, a number that may be NaN."""
    # Else a column of runs would be integers in one shard, and floats where a scan has no run.
    table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    return table.assign(repetition_time=pd.to_numeric(table["repetition_time"]))


def read_scans(path: Path, kind: type[ScanT]) -> list[ScanT]:
    """Read the scans of a shard.

    Parameters
    ----------
    path : Path
    kind : type
        `RawScan` where ``source`` is ``bids``, else `DerivativeScan`.
    """
    return scans_of(read_shard(path), kind)


def scans_of(table: pd.DataFrame, kind: type[ScanT]) -> list[ScanT]:
    """Convert a table to scans; columns without a field are ignored."""
    columns = [field.name for field in fields(kind) if field.name in table]
    return [kind(**row) for row in table[columns].to_dict("records")]
