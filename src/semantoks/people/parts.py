"""One file of a data set's tables of participants: its columns, and the rows that have an id."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from semantoks.errors import UserError
from semantoks.people.columns import find_column, listed
from semantoks.people.layout import ID, Layout
from semantoks.people.read import TextTable, read_text_table

LISTED_COLUMNS = 12  # in messages; phenotype tables have hundreds
FEW_IDS = 3  # with fewer others, nothing is known of how ids look


@dataclass
class Part:
    """The rows of one file that have an id.

    Attributes
    ----------
    path : Path
    header : frozenset of str
        Names of all columns but that of ids.
    ids : list of str
    columns : dict of str to list of (str or None)
        Those that are wanted, without that of ids.
    visit_column : str or None
    notes : list of str
        Sentences on rows that are left out.
    """

    path: Path
    header: frozenset[str]
    ids: list[str]
    columns: dict[str, list[str | None]]
    visit_column: str | None
    notes: list[str]

    def take(self, rows: Sequence[int]) -> None:
        """Keep these rows, which are the visits that count."""
        if len(rows) == len(self.ids):
            return
        self.notes.append(f"{len(self.ids) - len(rows)} rows of {self.path.name} are other visits")
        self.ids = [self.ids[row] for row in rows]
        self.columns = {n: [cells[row] for row in rows] for n, cells in self.columns.items()}


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
    header = list(read_text_table(path, rows=0, encoding=layout.encoding).columns)
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


def read_part(path: Path, layout: Layout, wanted: Collection[str] | None) -> Part:
    """Read one file, without the rows that have no id.

    Parameters
    ----------
    path : Path
    layout : Layout
    wanted : collection of str, optional
        Columns to read besides those of ids and visits (default: all).

    Raises
    ------
    UserError
        When it is no table, or has no ids.
    """
    header = read_text_table(path, rows=0, encoding=layout.encoding).columns
    id_column = _id_column(header, path, layout)
    visit_column = find_column(layout.visit_columns, header)
    needed = None if wanted is None else {*wanted, id_column, *filter(None, [visit_column])}
    skip = layout.rows_to_skip(path)
    table = read_text_table(
        path, layout.missing, id_column, needed, skip=skip, encoding=layout.encoding
    )
    cells = table.columns[id_column]
    if not table.n_rows:
        raise UserError(f"{path} has no rows below its header. Name a table with participants.")
    _require_participants(table, id_column, layout, skip)
    ids = [None if cell is None else layout.id_of(cell) for cell in cells]
    rows = [row for row, name in enumerate(ids) if name is not None]
    # Renaming would otherwise result in two columns called participant_id.
    others = [name for name in table.columns if name not in (id_column, ID)]
    return Part(
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
        rows = read_text_table(
            table.path, layout.missing, column, {column}, skipped, encoding=layout.encoding
        )
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
