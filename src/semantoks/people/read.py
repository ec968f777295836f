"""Read a table that a user wrote, and clean it: the same for every table that comes in."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from semantoks.errors import UserError
from semantoks.gate import LARGEST_TABLE, problem_of_file

# In lower case. "None" and "unknown" are not among them: they are classes of many tables.
MISSING = frozenset(
    {"", "n/a", "na", "nan", "null", "<na>", "#n/a", "#na", "#n/a n/a", ".", "-", "--"}
)
UTF8 = "utf-8"
SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons"}
# `str.strip` keeps these; web pages and Excel leave them at the ends of cells.
INVISIBLE = "\ufeff\u200b\u200c\u200d"
# Biobanks have tens of thousands.
MOST_COLUMNS = 100_000


@dataclass(frozen=True)
class TextTable:
    """A table of clean text.

    Attributes
    ----------
    path : Path
    columns : dict of str to list of (str or None)
        None where a value is missing.
    """

    path: Path
    columns: dict[str, list[str | None]]

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values()), []))


def read_text_table(
    path: Path,
    missing: Collection[str] = (),
    id_column: str = "participant_id",
    wanted: Collection[str] | None = None,
    rows: int | None = None,
    skip: int = 0,
    encoding: str = UTF8,
) -> TextTable:
    """Read a table of tabs, or of commas by its suffix, as clean text.

    ``.csv`` has commas, ``.tsv`` and ``.tab`` (exports of UK Biobank for R) have tabs, and of
    ``.txt`` the first line shows it.

    Blanks around cells and column names are removed, and all spellings of "missing" become None.

    Parameters
    ----------
    path : Path
    missing : collection of str
        Further codes for a missing value; numbers also match if they are written differently.
    id_column : str
        In this column a code matches as text only, as 0999 is not 999 there.
    wanted : collection of str, optional
        Columns to keep (default: all); a large table then takes little memory.
    rows : int, optional
        How many are read (default: all).
    skip : int
        Rows directly below the header that are left out.
    encoding : str

    Raises
    ------
    UserError
        When it is not a table of text in this encoding, has another separator than its suffix
        says, a row of more cells than columns, too many columns, or two of the same name.
    """
    has_tabs = _has_tabs(path)
    lines = _rows(path, has_tabs, encoding)
    header = [clean(_unquoted(cell) if has_tabs else cell) for cell in next(lines, [])]
    _check_header(header, path, has_tabs)
    # `DataFrame.to_csv` writes its index as a column without a name.
    keep = [
        (place, name)
        for place, name in enumerate(header)
        if name and not re.fullmatch(r"Unnamed: \d+", name) and (wanted is None or name in wanted)
    ]
    needed = 1 + max((place for place, name in enumerate(header) if name), default=-1)
    places = [place for place, _ in keep]
    cells = list[list[str]]()
    for number, row in enumerate(islice(lines, rows), start=2):
        if number < 2 + skip:
            continue
        is_blank = not _has_text(row)
        # A lost separator moves the cells behind it into the columns of others.
        if _has_text(row[len(header) :]) or (not is_blank and len(row) < needed):
            raise UserError(
                f"Row {number} of {path} has {len(row)} cells, but there are {len(header)} column "
                "names. Correct the row (a separator too many, or one that is lost?)."
            )
        if not is_blank:
            cells.append([row[place] for place in places])
    columns = zip(*cells, strict=True) if cells else [()] * len(keep)
    return TextTable(
        path,
        {
            name: clean_column(
                # R's write.table puts all text into quotation marks.
                map(_unquoted, column) if has_tabs and '"' in "".join(column) else column,
                missing,
                is_id=name == id_column,
            )
            for (_, name), column in zip(keep, columns, strict=True)
        },
    )


def clean(cell: str) -> str:
    """Remove what cannot be seen: blanks at the ends, and two ways of writing one letter."""
    text = cell.strip()
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text.strip(INVISIBLE).strip())


def as_number(text: str) -> float | None:
    """Return a cell as a number; None if it is not one. Python alone would read 1_0 as 10."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _has_tabs(path: Path) -> bool:
    if path.suffix != ".txt" or problem_of_file(path, LARGEST_TABLE):
        return path.suffix != ".csv"
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        first = stream.readline()
    return "\t" in first or "," not in first


def _rows(path: Path, has_tabs: bool, encoding: str) -> Iterator[list[str]]:
    """Yield the rows of a table; cells of a table with tabs may still be in quotation marks."""
    if problem := problem_of_file(path, LARGEST_TABLE):
        raise UserError(f"{path} is not a readable table: {problem}.")
    # BIDS tables have no quoting: a quotation mark is part of a value.
    quoting: Literal[0, 3] = csv.QUOTE_NONE if has_tabs else csv.QUOTE_MINIMAL
    try:
        # utf-8-sig: Excel puts a byte order mark before the name of the first column.
        codec = "utf-8-sig" if encoding == UTF8 else encoding
        with path.open(encoding=codec, newline="") as stream:
            yield from csv.reader(stream, delimiter="\t" if has_tabs else ",", quoting=quoting)
    except (csv.Error, UnicodeDecodeError, IsADirectoryError) as error:
        raise UserError(
            f"{path} is not a readable table ({error}). Save it as UTF-8; a table of participants "
            "of another encoding can be read with `encoding: latin-1` of the data set."
        ) from None


def _has_text(row: Sequence[str]) -> bool:
    return any(cell.strip().strip('"') for cell in row)


def _unquoted(cell: str) -> str:
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1] if is_quoted else cell


def _check_header(header: Sequence[str], path: Path, has_tabs: bool) -> None:
    """Refuse a header of another separator, of too many columns or of a repeated name."""
    if len(header) == 1:
        others = [mark for mark in SEPARATORS if mark in header[0]]
        if others:
            needed = "tabs" if has_tabs else "commas"
            raise UserError(
                f"{path} is separated by {SEPARATORS[others[0]]}, but its name says {needed}. "
                f"Save it with {needed}{_other_suffix(path, others[0])}."
            )
    if len(header) > MOST_COLUMNS:
        raise UserError(
            f"{path} has {len(header):,} columns, at most {MOST_COLUMNS:,} are plausible. Keep "
            "those that you need."
        )
    for name, count in Counter(filter(None, header)).items():
        if count > 1:
            raise UserError(f"{path} has {count} columns called {name}. Rename one.")


def _other_suffix(path: Path, mark: str) -> str:
    suffix = {",": ".csv", "\t": ".tsv"}.get(mark)
    return f", or rename it to {path.with_suffix(suffix).name}" if suffix else ""


def clean_column(
    cells: Iterable[str], missing: Collection[str] = (), *, is_id: bool = False
) -> list[str | None]:
    """Clean the cells of a column; see `read_text_table`."""
    cells = list(cells)
    # A large table has millions of cells, and most columns are ASCII.
    tidy = str.strip if "".join(cells).isascii() else clean
    texts = [tidy(cell) for cell in cells]
    codes = {clean(code) for code in missing}
    numbers = set() if is_id else {as_number(code) for code in codes} - {None}
    present = set(texts)
    # Beside "+", "-" is a finding and not a missing value.
    spellings = MISSING - {"-"} if "+" in present else MISSING
    absent = {
        text
        for text in present
        if text.lower() in spellings or text in codes or (numbers and as_number(text) in numbers)
    }
    return [None if text in absent else text for text in texts]
