"""Which row of a file of features is of which participant or scan of a data set."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import SCAN_ENTITIES, included_scans
from semantoks.errors import UserError
from semantoks.people.ids import as_in_scans
from semantoks.scores.get_representation.files import PARTICIPANT, ROW_ID, SCAN, SESSION

SOME = 10  # names in a line of the log

log = logging.getLogger(__name__)


def match_rows(ids: pd.DataFrame, scans: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Assign the rows of a file to the included scans of a data set, or to their participants.

    Parameters
    ----------
    ids : DataFrame
        See `FeatureFile`.
    scans : DataFrame
        Included and excluded scans.
    path : Path
        The file, for messages.

    Returns
    -------
    DataFrame
        `SCAN_ENTITIES` and ``row``: the number of the row, -1 for a participant who has none. A
        row that is of a participant has the participant's id as ``scan``.

    Raises
    ------
    UserError
        If no row is of anybody in the data set, or two are of the same scan or participant.
    """
    included = included_scans(scans)
    if ROW_ID in ids:
        kind = SCAN if ids[ROW_ID].isin(scans[SCAN]).any() else PARTICIPANT
        ids = ids.rename(columns={ROW_ID: kind})
    matched = _by_scan(ids, included) if SCAN in ids else _by_participant(ids, included, path)
    _require_unique(matched, path)
    known = matched[matched["row"] >= 0]
    if known.empty:
        key = SCAN if SCAN in ids else PARTICIPANT
        raise UserError(
            f"No row of {path} is of a usable scan of the data set: it has {key} "
            f"{', '.join(ids[key][:2]) or 'none'}, the data set has "
            f"{', '.join(included[key][:2]) or 'none'}. Write the ids as in the column {key} of "
            "results/scans."
        )
    unused = len(ids) - len(known)
    if unused:
        log.info(
            "%d of %d rows of %s are of no usable scan of the data set", unused, len(ids), path
        )
    lacking = sorted(set(included[PARTICIPANT]) - set(known[PARTICIPANT]))
    if lacking:
        log.warning(
            "%d of %d participants have no row in %s. They are predicted as if nothing was known "
            "of them, which lowers its scores: %s",
            *(len(lacking), included[PARTICIPANT].nunique(), path, _first(lacking)),
        )
    return pd.concat([known, _of_participants(lacking)], ignore_index=True).sort_values(
        SCAN, ignore_index=True, kind="stable"
    )


def _by_scan(ids: pd.DataFrame, included: pd.DataFrame) -> pd.DataFrame:
    """Match by the name of the scan, and say of how many scans there is no row."""
    entities = included.set_index(SCAN, drop=False)[list(SCAN_ENTITIES)]
    row_of = pd.Series(np.arange(len(ids)), ids[SCAN], name="row")
    usable = row_of[row_of.index.isin(entities.index)]
    rows = entities.loc[usable.index].assign(row=usable.to_numpy()).reset_index(drop=True)
    people = set(rows[PARTICIPANT])
    lacking = entities[entities[PARTICIPANT].isin(people) & ~entities.index.isin(usable.index)]
    if len(lacking):
        log.warning(
            "%d of %d scans have no row; of their participants, only the other scans count: %s",
            *(len(lacking), len(entities), _first(list(lacking[SCAN]))),
        )
    return rows


def _by_participant(ids: pd.DataFrame, included: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Match by participant, and by session if the file has it."""
    people = set(included[PARTICIPANT])
    names = as_in_scans(ids[PARTICIPANT].tolist(), people, str(path))
    rows = _of_participants(names).assign(row=np.arange(len(ids)))
    if SESSION not in ids:
        return rows[rows[PARTICIPANT].isin(people)]
    rows[SESSION] = ids[SESSION].str.removeprefix("ses-").to_numpy()
    sessions = included[SESSION].astype(str).str.removeprefix("ses-")
    known = set(zip(included[PARTICIPANT], sessions, strict=True))
    is_known = [pair in known for pair in zip(rows[PARTICIPANT], rows[SESSION], strict=True)]
    has_session = rows[SESSION] != ""
    rows.loc[has_session, SCAN] += "_ses-" + rows.loc[has_session, SESSION]
    return rows[is_known]


def _of_participants(names: Sequence[str]) -> pd.DataFrame:
    """Rows of participants that are of no scan in particular."""
    entities = dict.fromkeys(SCAN_ENTITIES, "") | {SCAN: names, PARTICIPANT: names}
    return pd.DataFrame(entities, index=range(len(names))).assign(row=-1).astype({"row": int})


def _require_unique(rows: pd.DataFrame, path: Path) -> None:
    twice = rows.loc[rows[SCAN].duplicated(), SCAN]
    if len(twice):
        raise UserError(
            f"{path} has several rows of {twice.iloc[0]}, and {len(twice)} too many in all. Name "
            "the scan of each row in a column 'scan', or leave one row per participant."
        )


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:SOME]) + (", …" if len(names) > SOME else "")
