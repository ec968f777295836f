"""The participants of a data set, from one table or several that are joined by their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from semantoks.errors import UserError
from semantoks.people.columns import listed
from semantoks.people.ids import digits_hint, id_spelling
from semantoks.people.layout import ID, Layout
from semantoks.people.parts import Part, read_part
from semantoks.people.read import as_number
from semantoks.people.visits import chosen_rows


@dataclass(frozen=True)
class Conflict:
    """A column of which two tables say different things of somebody.

    Attributes
    ----------
    column, participant : str
        Of the first such cell.
    tables : tuple of Path
        The two files.
    count : int
        Participants of whom tables say different things.
    """

    column: str
    participant: str
    tables: tuple[Path, Path]
    count: int


@dataclass(frozen=True)
class People:
    """All participants of a data set, in the order of the tables.

    Attributes
    ----------
    name : str
        Of the tables, for messages.
    columns : dict of str to list of (str or None)
        The first is ``participant_id``. None where a value is missing, or where tables differ.
    conflicts : dict of str to Conflict
        By column.
    notes : list of str
        Sentences on rows that are left out.
    """

    name: str
    columns: dict[str, list[str | None]]
    conflicts: dict[str, Conflict] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        """Number of participants."""
        return len(self.columns[ID])


def names_of(paths: Sequence[Path]) -> str:
    """Name tables in a message."""
    names = [path.name for path in paths]
    return (
        " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} other tables"
    )


def read_people(
    paths: Sequence[Path], layout: Layout, wanted: Collection[str] | None = None
) -> People:
    """Read tables of participants and join them by id.

    Everybody who is in any of the tables has a row. A column that several tables have is one
    column; where they differ, the cell is missing and the column is among the conflicts. Tables
    with the same columns are parts of one table, of which `visits` takes one row per participant.

    Parameters
    ----------
    paths : sequence of Path
    layout : Layout
    wanted : collection of str, optional
        Columns to read besides those of ids and visits (default: all).

    Raises
    ------
    UserError
        When a table is none, has no ids, or lists a participant twice, or two tables write an id
        differently.
    """
    parts = [read_part(path, layout, wanted) for path in paths]
    if layout.visit_columns:
        _keep_visits(parts, layout)
    for part in parts:
        _require_once(part)
    _require_alike(parts)
    numbers = _numbered(parts)
    rows = [[numbers[name] for name in part.ids] for part in parts]
    ids = list(numbers)
    columns: dict[str, list[str | None]] = {ID: list(ids)}
    conflicts = dict[str, Conflict]()
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        having = [(p, r) for p, r in zip(parts, rows, strict=True) if name in p.columns]
        columns[name], conflict = _joined(name, having, ids)
        if conflict:
            conflicts[name] = conflict
    return People(names_of(paths), columns, conflicts, list(_notes(parts, conflicts)))


def _notes(parts: Sequence[Part], conflicts: Mapping[str, Conflict]) -> Iterator[str]:
    """Yield sentences on rows that are left out, and on values of different visits."""
    for part in parts:
        yield from part.notes
    for column in dict.fromkeys(part.visit_column for part in parts):
        if conflict := conflicts.get(column or ""):
            yield (
                f"{conflict.tables[0].name} and {conflict.tables[1].name} have other visits of the "
                f"same participants ({conflict.count}), since `visits` chooses in each by itself"
            )


def require_no_conflict(people: People, used: Iterable[str]) -> None:
    """Refuse columns of which two tables say different things.

    Raises
    ------
    UserError
    """
    for conflict in filter(None, map(people.conflicts.get, used)):
        raise UserError(
            f"{conflict.tables[0]} and {conflict.tables[1]} both have the column "
            f"'{conflict.column}', and differ in it for {conflict.participant}. Rename it in one "
            "of them, correct it, or take one of the tables out of `participants`; if these are "
            "several visits, say by `visits` of the data set which counts."
        )


def _keep_visits(parts: Sequence[Part], layout: Layout) -> None:
    """Take one visit per participant, over all files with the same columns."""
    with_visits = [part for part in parts if part.visit_column]
    if not with_visits:
        raise UserError(
            f"{names_of([part.path for part in parts])}: no table has a column "
            f"{listed(layout.visit_columns)}. Correct `visits` of the data set."
        )
    for header in dict.fromkeys(part.header for part in with_visits):
        group = [part for part in with_visits if part.header == header]
        column = group[0].visit_column or ""
        ids = [name for part in group for name in part.ids]
        visits = [cell for part in group for cell in part.columns[column]]
        where = f"column '{column}' of {names_of([part.path for part in group])}"
        rows = chosen_rows(ids, visits, layout.keep, where)
        start = 0
        for part in group:
            stop = start + len(part.ids)
            part.take([row - start for row in rows if start <= row < stop])
            start = stop


def _require_once(part: Part) -> None:
    seen = set[str]()
    for name in part.ids:
        if name in seen:
            visit = "" if part.visit_column is None else " of the visit that `visits` names"
            raise UserError(
                f"{part.path} lists {name} more than once; keep one row per participant{visit}, or "
                "add it to `missing_values` if it is a code for an unknown participant. If the "
                "rows are visits, say which counts: `visits: {column: …, keep: first}` of the data "
                "set."
            )
        seen.add(name)


def _require_alike(parts: Sequence[Part]) -> None:
    """Refuse two ids that differ only in zeros, case or punctuation, of which no table has both.

    A table with both tells two participants apart. Without one, they are probably the same, whose
    cells of the other table would be missing.
    """
    tables_of: dict[str, set[int]] = defaultdict(set)
    for number, part in enumerate(parts):
        for name in part.ids:
            tables_of[name].add(number)
    alike: dict[str, list[str]] = defaultdict(list)
    for name, tables in tables_of.items():
        if len(tables) < len(parts):  # else one of the tables has it and the other id
            alike[id_spelling(name)].append(name)
    pairs = [
        pair
        for names in alike.values()
        for pair in combinations(names, 2)
        if tables_of[pair[0]].isdisjoint(tables_of[pair[1]])
    ]
    if pairs:
        first, second = (f"{parts[min(tables_of[name])].path} has {name}" for name in pairs[0])
        raise UserError(
            f"{first} where {second}, and there are {len(pairs)} such pairs in all: leading zeros "
            "are lost, or case or punctuation differ. Write the ids alike in all tables (in a "
            "spreadsheet, format the column as text)"
            f"{digits_hint(max(pair, key=len) for pair in pairs)}."
        )


def _numbered(parts: Sequence[Part]) -> dict[str, int]:
    """Return the row of each participant of all tables."""
    ids = dict.fromkeys(name for part in parts for name in part.ids)
    return {name: row for row, name in enumerate(ids)}


def _joined(
    name: str, parts: Sequence[tuple[Part, list[int]]], ids: Sequence[str]
) -> tuple[list[str | None], Conflict | None]:
    """Return the cells of a column, from all tables that have it, and where they differ first.

    Parameters
    ----------
    name : str
    parts : sequence of (Part, list of int)
        Tables, and the row of the result of each of their rows.
    ids : sequence of str
        Participants of the result.
    """
    cells: list[str | None] = [None] * len(ids)
    differing = dict[int, Part]()
    for part, rows in parts:
        for row, cell in zip(rows, part.columns[name], strict=True):
            known = cells[row]
            if known is None:
                cells[row] = cell
            elif cell is not None and not _equal(cell, known):
                differing.setdefault(row, part)
    if not differing:
        return cells, None
    row, second = next(iter(differing.items()))
    first = next(p for p, rows in parts if row in rows and p.columns[name][rows.index(row)])
    for other in differing:
        cells[other] = None
    return cells, Conflict(name, ids[row], (first.path, second.path), len(differing))


def _equal(cell: str, other: str) -> bool:
    number = as_number(cell)
    return cell == other or (number is not None and number == as_number(other))
