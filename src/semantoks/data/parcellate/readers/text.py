"""Time series as text tables, with or without a header and comments."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.region_order import label_header
from semantoks.errors import ScanError
from semantoks.gate import require_file

SEPARATORS = {".tsv": "\t", ".csv": ","}  # of any other table: white space
MISSING = {"", "n/a", "na", "nan", "#n/a", "null", "none", "."}  # in lower case
TWO_HEADERS = "begins with two rows that may be its header; leave out the one that is not"
COMMENT = ("#", "%")
# Of AFNI's 3dROIstats, which begins each row with the image and the volume (`0[?]`), and calls the
# mean of the region with the label 12 `Mean_12` (afni.nimh.nih.gov, help of 3dROIstats).
TEXT_COLUMNS, MEAN = ("File", "Sub-brick"), "Mean_"
# The Athena pipeline names its images sfnwmrda0010001_session_1_rest_1.nii.gz, and has a CC200 with
# 190 of the labels 1 to 200 (nitrc.org/plugins/mwiki/index.php/neurobureau:AthenaPipeline).
ATHENA, OTHER_CC200 = "nwmrda", "cc200"
MIN_HEADER = 8  # columns; fewer whole numbers ascend by chance, so they are no second header


@dataclass(frozen=True)
class _Row:
    """A line of a table: its cells, and whether it began with a sign of a comment."""

    line: int
    cells: list[str]
    is_comment: bool


def read_text(path: Path, atlas: Atlas) -> tuple[np.ndarray, list[str] | None]:
    """Read a table with one row per volume.

    Parameters
    ----------
    path : Path
    atlas : Atlas
        Its labels help to decide whether a first row of numbers is a header.

    Returns
    -------
    values_TC : ndarray of float64, shape (volumes, columns)
    names : list of str or None
        Names of the columns, or their numbers; None if there is no header.

    Raises
    ------
    ScanError
        When it is not a table of numbers.
    """
    rows = _without_text_columns(_rows(path), atlas, path)
    table = [row for row in rows if not row.is_comment]
    if not table:
        raise ScanError(f"{path.name} is an empty table")
    width = len(table[0].cells)
    _require_separator(path, table[0].cells)
    for row in table:
        if len(row.cells) != width:
            raise ScanError(
                f"line {row.line} of {path.name} has {len(row.cells)} cells, the first row has "
                f"{width}; the table is damaged or incomplete"
            )
    names = _commented_header(rows, table[0].line, width)
    _require_no_commented_volumes(rows, table[0].line, width, path)
    first = _header(table[0].cells, atlas)
    if first is not None and names is not None and _is_numeric(table[0].cells):
        raise ScanError(f"{path.name} {TWO_HEADERS}")
    body = table if first is None else table[1:]
    values_TC = _numbers(body, width, path)
    names = first or names
    may_have_second = names is not None and width >= MIN_HEADER and len(values_TC) > 0
    if may_have_second and label_header(values_TC[0], atlas) is not None:
        raise ScanError(f"{path.name} {TWO_HEADERS}")
    return values_TC, names and _without_statistic(names, atlas)


def _without_text_columns(rows: list[_Row], atlas: Atlas, path: Path) -> list[_Row]:
    """Drop the columns of text that 3dROIstats writes; its header may be a comment.

    Raises
    ------
    ScanError
        When they show that the regions are those of another atlas of the same name.
    """
    table = [row for row in rows if not row.is_comment]
    names = table[0].cells if table else []
    places = {place for place, name in enumerate(names) if name in TEXT_COLUMNS}
    first = table[1].cells if len(table) > 1 else []
    is_athena = any(ATHENA in cell for place, cell in enumerate(first) if place in places)
    if is_athena and atlas.name == OTHER_CC200:
        raise ScanError(
            f"{path.name} is of the Athena pipeline (ADHD-200), whose regions have other numbers "
            f"than those of {atlas.name}; make an atlas of your own of the image that it comes "
            "with, ADHD200_parcellate_200.nii.gz"
        )
    without = list[_Row]()
    for row in rows:
        is_header = row.is_comment and tuple(row.cells[: len(TEXT_COLUMNS)]) == TEXT_COLUMNS
        dropped = range(len(TEXT_COLUMNS)) if is_header else () if row.is_comment else places
        cells = [cell for place, cell in enumerate(row.cells) if place not in dropped]
        without.append(replace(row, cells=cells))
    return without


def _without_statistic(names: list[str], atlas: Atlas) -> list[str]:
    known = set(atlas.regions["name"])
    return [name if name in known else name.removeprefix(MEAN) for name in names]


def _rows(path: Path) -> list[_Row]:
    """Split a table into rows of cells, without empty lines."""
    try:
        lines = require_file(path).read_text(encoding="utf-8-sig").splitlines()
        separator = SEPARATORS.get(path.suffix.lower())
        split = list(csv.reader(lines, delimiter=separator)) if separator else map(str.split, lines)
        cells_of = [[cell.strip() for cell in cells] for cells in split]
    except (ValueError, OSError, csv.Error) as error:
        raise ScanError(f"{path.name} is not a readable table ({error})") from error
    rows = []
    for line, cells in enumerate(cells_of, 1):
        if any(cells):
            # Excel's "#N/A" is a missing value and not a comment.
            is_comment = cells[0].startswith(COMMENT) and cells[0].lower() not in MISSING
            bare = [cell.lstrip("".join(COMMENT)).strip() for cell in cells]
            rows.append(_Row(line, bare if is_comment else cells, is_comment))
    return _without_empty_end(rows)


def _without_empty_end(rows: list[_Row]) -> list[_Row]:
    """Drop the empty column that a separator at the end of each line reads as."""
    table = [row for row in rows if not row.is_comment]
    while table and not any(row.cells[-1] for row in table):
        rows = [row if any(row.cells[-1:]) else replace(row, cells=row.cells[:-1]) for row in rows]
        table = [row for row in rows if not row.is_comment]
    return rows


def _require_separator(path: Path, cells: list[str]) -> None:
    """Refuse a table whose extension promises another separator than it has."""
    other = next((sign for sign in ("\t", ",", ";") if len(cells) == 1 and sign in cells[0]), None)
    if other is not None:
        meaning = "a tab" if other == "\t" else f"'{other}'"
        raise ScanError(
            f"{path.name} has a single column with {meaning} in it; .tsv is separated by tabs, "
            ".csv by commas, .1D and .txt by blanks"
        )


def _commented_header(rows: list[_Row], first_line: int, width: int) -> list[str] | None:
    """Return the last comment above the table that names as many columns as the table has."""
    for row in reversed([row for row in rows if row.is_comment and row.line < first_line]):
        # numpy writes a blank after the sign, so the sign may be a cell of its own.
        cells = row.cells[1:] if len(row.cells) == width + 1 and not row.cells[0] else row.cells
        if len(cells) == width:
            return cells
    return None


def _require_no_commented_volumes(
    rows: list[_Row], first_line: int, width: int, path: Path
) -> None:
    """Refuse a volume that is commented out: without it, time would have a gap."""
    for row in rows:
        cells = [cell for cell in row.cells if cell]
        if row.is_comment and row.line > first_line and len(cells) == width and _is_numeric(cells):
            raise ScanError(
                f"line {row.line} of {path.name} is a volume that is commented out, so time would "
                "have a gap; write n/a for its values"
            )


def _header(cells: list[str], atlas: Atlas) -> list[str] | None:
    """Return the column names in the first row of a table; None if it is a volume."""
    if not _is_numeric(cells):
        return cells
    return label_header(np.array([_number(cell) for cell in cells]), atlas)


def _is_numeric(cells: list[str]) -> bool:
    """Whether each cell is a number or a missing value."""
    try:
        return bool([_number(cell) for cell in cells])
    except ValueError:
        return False


def _number(cell: str) -> float:
    return float("nan" if cell.lower() in MISSING else cell)


def _numbers(body: list[_Row], width: int, path: Path) -> np.ndarray:
    values_TC = np.empty((len(body), width))
    for row, values in zip(body, values_TC, strict=True):
        try:
            values[:] = [_number(cell) for cell in row.cells]
        except ValueError as error:
            raise ScanError(
                f"line {row.line} of {path.name} has a value that is not a number ({error})"
            ) from error
    return values_TC
