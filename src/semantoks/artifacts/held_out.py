"""Which scans no model may be pretrained on, because their people are held out for the scores.

People are held out by id, and a recording of theirs may be there under another id, in their own or
in another data set. Whoever has such a recording is taken for the same person, so all scans under
that id are left out as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.fingerprints import FINGERPRINTS
from semantoks.artifacts.recordings import copies_of
from semantoks.artifacts.tables import open_parquet, read_table
from semantoks.artifacts.timeseries import HELD_OUT, SOURCE, whole_runs
from semantoks.config import PERSON

COLUMNS = ("scan", "participant_id", "status", HELD_OUT, "recording", "fingerprint")
OF_COPIES = (*FINGERPRINTS, "repetition_time")


@dataclass(frozen=True)
class LeftOut:
    """Scans that are left out of pretraining, as pairs of data set and scan.

    Attributes
    ----------
    people : int
        Held-out people who have an included scan.
    by_id : frozenset of (str, str)
        Scans of held-out people.
    by_recording : frozenset of (str, str)
        Other scans of the same recordings, and of whoever has one of these.
    """

    people: int = 0
    by_id: frozenset[tuple[str, str]] = frozenset()
    by_recording: frozenset[tuple[str, str]] = frozenset()

    @property
    def scans(self) -> frozenset[tuple[str, str]]:
        """All scans that are left out."""
        return self.by_id | self.by_recording

    @property
    def under_other_ids(self) -> int:
        """Number of scans that are left out though nobody of that id is held out."""
        return len(self.by_recording - self.by_id)

    def __or__(self, other: LeftOut) -> LeftOut:
        """Leave out what either of two data sets demands."""
        return LeftOut(
            self.people + other.people,
            self.by_id | other.by_id,
            self.by_recording | other.by_recording,
        )


def left_out_for(
    holder: str, tables: Mapping[str, pd.DataFrame], datasets: Iterable[str]
) -> LeftOut:
    """Find the scans that a model must not see because of the held-out people of one data set.

    Parameters
    ----------
    holder : str
        The data set whose people are held out.
    tables : mapping of str to DataFrame
        Table of scans of each data set.
    datasets : iterable of str
        Those that the model is pretrained on.
    """
    # Models see whole runs, also of a data set whose blocks are scored.
    usable = whole_runs(tables[holder])
    held = usable[usable[HELD_OUT]]
    by_id, by_recording = set[tuple[str, str]](), set[tuple[str, str]]()
    for dataset in datasets:
        if dataset == holder:
            by_id |= {(dataset, scan) for scan in held["scan"]}
            others = usable[~usable[HELD_OUT]]
            # Of runs without a usable block, `recording` is not known.
            is_copy = (
                copies_of(held, others)
                if SOURCE in others
                else others["recording"].isin(set(held["recording"])).to_numpy()
            )
        else:
            others = whole_runs(tables[dataset])
            is_copy = copies_of(held, others)
        by_recording |= {(dataset, scan) for scan in _scans_of_people(others, is_copy)}
    return LeftOut(held["participant_id"].nunique(), frozenset(by_id), frozenset(by_recording))


def _scans_of_people(scans: pd.DataFrame, is_copy: np.ndarray) -> set[str]:
    """Return all scans of those who have one of the copies, or the same recording as a copy."""
    is_same = scans["recording"].isin(set(scans.loc[is_copy, "recording"]))
    is_theirs = scans["participant_id"].isin(set(scans.loc[is_same, "participant_id"]))
    return set(scans.loc[is_theirs, "scan"])


def read_tables(paths: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Read the columns of tables of scans that `left_out_for` needs, by data set.

    Copies in other data sets are found by fingerprints, which a single data set does not need.

    Parameters
    ----------
    paths : iterable of Path
        ``<dataset>.parquet`` as `scans` writes them.
    """
    files = list(paths)
    of_blocks = {path: _of_blocks(path) for path in files}
    needs_copies = len(files) > 1 or any(of_blocks.values())
    columns = [*COLUMNS, *(OF_COPIES if needs_copies else ())]
    return {path.stem: read_table(path, [*columns, *of_blocks[path]]) for path in files}


def _of_blocks(path: Path) -> list[str]:
    """Columns that only a table of blocks has."""
    return [name for name in (SOURCE, PERSON) if name in open_parquet(path).schema_arrow.names]
