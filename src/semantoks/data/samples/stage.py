"""Write the table of blocks of a data set: what is known of their events and of their people."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from semantoks.artifacts.tables import read_table, write_table
from semantoks.config import PERSON, ColumnNames
from semantoks.data.samples.settings import SamplesSettings
from semantoks.errors import UserError
from semantoks.people.columns import COVARIATES, find_column, listed

log = logging.getLogger(__name__)
ID = "participant_id"


def samples(
    settings: SamplesSettings, *, blocks: Sequence[Path], participants: Path, out: Path
) -> list[Path]:
    """Write one row per block, in the place of the table of participants.

    Parameters
    ----------
    settings : SamplesSettings
    blocks : sequence of Path
        ``*_blocks.parquet`` of all shards, written by `blocks`.
    participants : Path
        Table of participants, written by `index`.
    out : Path
        Parquet: ``participant_id`` (of the block), ``person``, the columns of the events, and those
        of the person's row. A column of the events is called ``event_<name>`` if the table of
        participants has one of that name, or if it is the name of a confound such as sex.

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        When no block is of a person in the table, or the family column is not there.
    """
    events = pd.concat([read_table(path) for path in blocks], ignore_index=True)
    if events.empty:
        raise UserError(
            "No run could be cut into blocks. results/scans of the data set, or the column "
            "`reason` of results/blocks, says why."
        )
    events = events.assign(**{name: _typed(events[name]) for name in events if name not in _IDS})
    people = read_table(participants)
    known = events[PERSON].isin(set(people[ID]))
    if not known.all():
        log.warning(
            "%d block(s) of %d people who are not in the table of participants are left out",
            *((~known).sum(), events.loc[~known, PERSON].nunique()),
        )
    table = _with_people(events[known], people)
    if settings.group_column is not None:
        table = _with_families(table, settings.group_column)
    write_table(out, table.sort_values(ID, ignore_index=True))
    return [out]


_IDS = (ID, PERSON)


def _typed(cells: pd.Series) -> pd.Series:
    """Return a column of text as numbers if every cell is one, as for the table of participants."""
    numbers = pd.to_numeric(cells, errors="coerce")
    is_number = bool((numbers.notna() | cells.isna()).all()) and bool(numbers.notna().any())
    return numbers.astype(float) if is_number else cells.astype(object).where(cells.notna(), None)


def _with_people(events: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of the person to each block."""
    if events.empty:
        raise UserError(
            "No block is of a person in the table of participants. Check that the ids in the "
            "table match those of the scans."
        )
    # The sex of a face that is shown must not pass for that of the person.
    confounds = {name for names in COVARIATES.values() for name in names}
    names = [str(name) for name in events.columns if name not in _IDS]
    taken = [name for name in names if name in people or name.lower() in confounds]
    for name in taken:
        log.warning("the column %s of the events is called event_%s here", name, name)
    events = events.rename(columns={name: f"event_{name}" for name in taken})
    # A column of the table that is itself called `person` gives way.
    people = people.drop(columns=PERSON, errors="ignore").rename(columns={ID: PERSON})
    return events.merge(people, on=PERSON, how="left", validate="many_to_one")


def _with_families(table: pd.DataFrame, names: ColumnNames) -> pd.DataFrame:
    """Fill the family of those without one by the person, whose blocks belong together too."""
    column = find_column(names, table.columns)
    if column is None:
        raise UserError(
            f"The table of participants has no column {listed(names)} (group_column). Correct it "
            "in the configuration."
        )
    family = table[column].astype("string")
    return table.assign(**{column: family.fillna("person " + table[PERSON].astype("string"))})
