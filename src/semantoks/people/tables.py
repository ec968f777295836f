"""The participants of a data set, from one table or several that are joined by their ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semantoks.errors import UserError
from semantoks.people.columns import find_column, listed
from semantoks.people.layout import ID, Layout
from semantoks.people.read import TextTable, as_number, read_text_table
from semantoks.people.visits import chosen_rows

LISTED_COLUMNS = 12  # in messages; phenotype tables have hundreds
FEW_IDS = 3  # with fewer others, nothing is known of how ids look


@dataclass(frozen=True)
class Conflict:
    """A column of which two tables say different things of somebody.

    Attributes
    ----------
    column, participant : str
        Of the first such cell.
    tables : tuple of str
        Names of the two files.
    """

    column: str
    participant: str
    tables: tuple[str, str]


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


@dataclass
class _Part:
    """One file: the rows that have an id."""

    path: Path
    header: frozenset[str]  # without the column of ids
    ids: list[str]
    columns: dict[str, list[str | None]]
    visit_column: str | None
    notes: list[str]

    def take(self, rows: Sequence[int]) -> None:
        if len(rows) == len(self.ids):
            return
        self.notes.append(f"{len(self.ids) - len(rows)} rows of {self.path.name} are other visits")
        self.ids = [self.ids[row] for row in rows]
        self.columns = {n: [cells[row] for row in rows] for n, cells in self.columns.items()}


def names_of(paths: Sequence[Path]) -> str:
    """Name tables in a message."""
    names = [path.name for path in paths]
    return (
        " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} other tables"
    )


def columns_of(paths: Iterable[Path], layout: Layout) -> list[str]:
    """Return the names of all columns but those of ids, in the order of the tables.

    Raises
    ------
    UserError
        When a table has no column of ids, or is none.
    """
    names = dict[str, None]()
    for path in paths:
        names |= dict.fromkeys(_columns_but_ids(path, layout))
    return list(names)


def _columns_but_ids(path: Path, layout: Layout) -> list[str]:
    header = list(read_text_table(path, rows=0).columns)
    return [name for name in header if name not in (_id_column(header, path, layout), ID)]


def _id_column(header: Collection[str], path: Path, layout: Layout) -> str:
    column = find_column(layout.id_columns, header)
    if column is None:
        known = [*list(header)[:LISTED_COLUMNS], *(["…"] if len(header) > LISTED_COLUMNS else [])]
        raise UserError(
            f"{path} has no column {listed(layout.id_columns)} (columns: {', '.join(known)}). Name "
            "the column with the participants' ids as `participant_column`; in BIDS, it is "
            "participant_id."
        )
    return column


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
        When a table is none, has no ids, or lists a participant twice.
    """
    parts = [_read_part(path, layout, wanted) for path in paths]
    if layout.visit_columns:
        _keep_visits(parts, layout)
    for part in parts:
        _require_once(part)
    notes = [note for part in parts for note in part.notes]
    rows = _numbered(parts)
    columns: dict[str, list[str | None]] = {ID: list(rows)}
    conflicts = dict[str, Conflict]()
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        having = [part for part in parts if name in part.columns]
        columns[name], conflict = _joined(name, having, rows)
        if conflict:
            conflicts[name] = conflict
    return People(names_of(paths), columns, conflicts, notes)


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


def _read_part(path: Path, layout: Layout, wanted: Collection[str] | None) -> _Part:
    """Read one file, without the rows that have no id."""
    header = read_text_table(path, rows=0).columns
    id_column = _id_column(header, path, layout)
    visit_column = find_column(layout.visit_columns, header)
    needed = None if wanted is None else {*wanted, id_column, *filter(None, [visit_column])}
    skip = layout.rows_to_skip(path)
    table = read_text_table(path, layout.missing, id_column, needed, skip=skip)
    cells = table.columns[id_column]
    if not table.n_rows:
        raise UserError(f"{path} has no rows below its header. Name a table with participants.")
    _require_participants(table, id_column, layout, skip)
    ids = [None if cell is None else layout.id_of(cell) for cell in cells]
    rows = [row for row, name in enumerate(ids) if name is not None]
    # Renaming would otherwise result in two columns called participant_id.
    others = [name for name in table.columns if name not in (id_column, ID)]
    return _Part(
        path,
        frozenset(name for name in header if name != id_column),
        [name for name in ids if name is not None],
        {
            name: table.columns[name]
            if len(rows) == table.n_rows
            else [table.columns[name][row] for row in rows]
            for name in others
        },
        visit_column,
        list(_notes_on_ids(path, cells, ids)),
    )


def _notes_on_ids(
    path: Path, cells: Sequence[str | None], ids: Sequence[str | None]
) -> Iterator[str]:
    """Yield sentences on rows without an id, or with one that the pattern does not fit.

    Raises
    ------
    UserError
        When no cell fits.
    """
    absent = sum(cell is None for cell in cells)
    if absent:
        yield f"{absent} rows of {path.name} have no id and are left out"
    odd = [cell for cell, name in zip(cells, ids, strict=True) if cell is not None and name is None]
    if odd and len(odd) + absent == len(cells):
        raise UserError(
            f"`participant_pattern` fits none of the {len(odd)} ids of {path}, such as '{odd[0]}'. "
            "It must fit the whole cell, and its group is the id."
        )
    if odd:
        yield (
            f"{len(odd)} rows of {path.name} are left out, since `participant_pattern` does not "
            f"fit their ids, such as '{odd[0]}'"
        )


def _require_participants(table: TextTable, column: str, layout: Layout, skipped: int) -> None:
    """Refuse an item row that would be a participant, and a participant who would be skipped.

    Only what is certain: words of a sentence, or the name of the column, where no other id has
    blanks; and an id that was skipped though it is written like the others.
    """
    first, *others = table.columns[column]
    known = [cell for cell in others if cell is not None]
    is_text = first is not None and (" " in first or _letters(first) == _letters(column))
    if is_text and len(known) >= FEW_IDS and not any(" " in cell for cell in known):
        raise UserError(
            f"The first row below the header of {table.path} has '{first}' under '{column}', which "
            f"is no id like '{known[0]}'. If the row is no participant, set `skip_rows: "
            f"{skipped + 1}` of the data set; else correct it."
        )
    if not skipped:
        return
    try:
        rows = read_text_table(table.path, layout.missing, column, {column}, rows=skipped)
    except UserError:
        return  # item rows may have any number of cells
    shapes = {_shape(cell) for cell in [first, *known] if cell is not None}
    for cell in rows.columns[column]:
        if cell is not None and any(map(str.isdigit, cell)) and _shape(cell) in shapes:
            raise UserError(
                f"`skip_rows` would leave out {cell} of {table.path}, whose id is written like "
                "those of the participants. Correct it; `{pattern of the file: rows}` says it for "
                "some tables only."
            )


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).casefold()


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d", "0", text))


def _keep_visits(parts: Sequence[_Part], layout: Layout) -> None:
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


def _require_once(part: _Part) -> None:
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


def _numbered(parts: Sequence[_Part]) -> dict[str | None, int]:
    """Return the row of each participant of all tables."""
    ids = dict.fromkeys(name for part in parts for name in part.ids)
    return {name: row for row, name in enumerate(ids)}


def _joined(
    name: str, parts: Sequence[_Part], rows: dict[str | None, int]
) -> tuple[list[str | None], Conflict | None]:
    """Return the cells of a column, from all tables that have it, and where they differ first."""
    if len(parts) == 1 and parts[0].ids == list(rows):
        return parts[0].columns[name], None
    cells: list[str | None] = [None] * len(rows)
    source: list[_Part | None] = [None] * len(rows)
    differing = list[tuple[str, _Part, int]]()
    for part in parts:
        for participant, cell in zip(part.ids, part.columns[name], strict=True):
            row = rows[participant]
            known = cells[row]
            if cell is not None and known is None:
                cells[row], source[row] = cell, part
            elif cell is not None and known is not None and not _equal(cell, known):
                differing.append((participant, part, row))
    conflict = None
    if differing:
        participant, part, row = differing[0]
        first = source[row] or part
        conflict = Conflict(name, participant, (first.path.name, part.path.name))
    for _, _, row in differing:
        cells[row] = None
    return cells, conflict


def _equal(cell: str, other: str) -> bool:
    number = as_number(cell)
    return cell == other or (number is not None and number == as_number(other))
