"""The people of a data set who are held out of pretraining."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from semantoks.config import ColumnNames
from semantoks.data.index.people.participants import texts
from semantoks.errors import UserError
from semantoks.people.columns import find_column, listed
from semantoks.people.ids import as_in_scans
from semantoks.people.layout import Layout
from semantoks.people.read import read_text_table

log = logging.getLogger(__name__)
ID = "participant_id"
LISTED = 5  # ids in a message
AS_IN_BIDS = Layout()


def held_out_people(
    hold_out: Path | int,
    participants: pd.DataFrame,
    scans: pd.DataFrame,
    group_column: ColumnNames | None = None,
    layout: Layout = AS_IN_BIDS,
) -> list[str]:
    """Return the ids of the people who are held out, sorted.

    Only people who are in the table of participants and have a scan count, whatever the quality of
    the scan: thresholds must not change who is held out.

    Parameters
    ----------
    hold_out : Path or int
        A file of ids, or how many are drawn.
    participants, scans : DataFrame
        Both with ``participant_id``, written alike.
    group_column : str or list of str, optional
        Column of the family.
    layout : Layout, optional
        How the tables of participants write ids; the file may write them so too.

    Raises
    ------
    UserError
        If the file is missing or names nobody of the data set, more people are to be drawn than
        there are, or there is no column of the family.
    """
    scanned = participants[participants[ID].isin(set(scans[ID]))]
    families = _families(scanned, group_column)
    if isinstance(hold_out, int):
        return sorted(_drawn(families, hold_out))
    known = {*participants[ID], *scans[ID]}
    named = set(as_in_scans(_read_ids(hold_out, layout), known, str(hold_out)))
    if unknown := sorted(named - known):
        log.warning(
            "%d of %d ids in %s are not in the data set: %s%s",
            *(len(unknown), len(named), hold_out.name, ", ".join(unknown[:LISTED])),
            ", …" if len(unknown) > LISTED else "",
        )
    held = sorted(named & set(scanned[ID]))
    if not held:
        raise UserError(
            f"Nobody in {hold_out} has a scan and a row in the table of participants, so nobody "
            f"would be held out (ids such as {min(named, default='none')}; scans: "
            f"{min(scans[ID])}, …). Write the ids as in the file names."
        )
    if len(held) == len(scanned):
        log.warning(
            "%s names all %d people of the data set who have a scan, so no model is pretrained on "
            "it. Every row of the file counts, whatever its other columns say.",
            *(hold_out.name, len(held)),
        )
    _warn_of_relatives(families, held)
    return held


def _families(participants: pd.DataFrame, group_column: ColumnNames | None) -> pd.Series:
    """Return the family of each person; who has none is a family of one."""
    ids = participants[ID].to_numpy(object)
    alone = pd.Series("person " + participants[ID].astype(str).to_numpy(object), ids)
    if group_column is None:
        return alone
    column = find_column(group_column, participants.columns)
    if column is None:
        raise UserError(
            f"The table of participants has no column {listed(group_column)}, so it is not known "
            "whose relatives are held out. Correct `group_column`."
        )
    names = pd.Series(texts(participants[column]).to_numpy(object), ids)
    return ("family " + names).where(names.notna(), alone)


def _drawn(families: pd.Series, count: int) -> set[str]:
    """Draw families by the hash of their names, so that new people change as little as possible.

    A family that would exceed the number is skipped.
    """
    if count > len(families):
        raise UserError(
            f"`hold_out` asks for {count} people, but only {len(families)} have a scan and a row "
            "in the table of participants. Choose a smaller number."
        )
    drawn = set[str]()
    members = families.groupby(families).groups
    for name in sorted(members, key=_place):
        if len(drawn) + len(members[name]) <= count:
            drawn |= set(members[name])
    if len(drawn) < count:
        log.warning(
            "%d people are held out instead of %d, since families stay together", len(drawn), count
        )
    if not drawn:
        raise UserError(
            f"`hold_out` asks for {count} people, but every family has more. Choose a larger "
            "number."
        )
    return drawn


def _place(family: object) -> str:
    """Return a hash by which families are sorted, the same with and without ``sub-``."""
    # Not the hash that numbers shards, or all who are held out would be in the same ones.
    name = str(family).replace("person sub-", "person ", 1)
    return hashlib.sha1(f"hold_out {name}".encode()).hexdigest()


def _read_ids(file: Path, layout: Layout) -> list[str]:
    """Read a table with a column of ids, or a list of them without a header."""
    if not file.exists():
        raise UserError(f"The file {file} does not exist. Correct `hold_out`.")
    names = [ID, *layout.id_columns]
    columns = read_text_table(file).columns
    column = find_column(names, columns)
    if column is None and len(columns) != 1:
        raise UserError(
            f"{file} needs a column {ID} with the people to hold out, or one id per line (columns: "
            f"{', '.join(list(columns)[:LISTED]) or 'none'})."
        )
    cells: Sequence[str | None] = columns[column] if column else _with_header(columns)
    return [layout.id_of(cell) or cell for cell in cells if cell is not None]


def _with_header(columns: dict[str, list[str | None]]) -> list[str | None]:
    (header, cells) = next(iter(columns.items()))
    return [header, *cells]


def _warn_of_relatives(families: pd.Series, held: Collection[str]) -> None:
    """Say how many relatives of held-out people a model may see."""
    is_held = families.index.isin(held)
    relatives = families[~is_held].isin(set(families[is_held])).sum()
    if relatives:
        log.warning(
            "%d people who are not held out are relatives (`group_column`) of people who are, and "
            "may be pretrained on",
            relatives,
        )
