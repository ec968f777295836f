"""The table of participants of a folder, and guesses at what its columns are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from semantoks.commands.init.folder import DataFolder
from semantoks.config import MIN_TESTED, Config, Phenotype
from semantoks.config.preflight.sizes import MOST_CLASSES, require_sizes
from semantoks.errors import UserError
from semantoks.people.checks import missing_code
from semantoks.people.columns import KEYS, covariate_columns
from semantoks.people.read import TextTable, as_number, read_text_table

TABLE = "participants.tsv"
FAMILY = ("family_id", "family", "rel_family_id", "families")
# A number with so many different values, or more, is a measure and no code of classes.
MIN_MEASURE, MIN_OF_CLASS, MANY = 5, 5, 30
MIN_SCALE = 8  # whole numbers without a gap; fewer may be codes, such as DSM_IV_TR of ABIDE
# Ids of people in a table that are not the first column match at least this part of the scans.
MIN_MATCHING = 0.5
_LOOK_ABOVE = 3
_CODES_SHOWN = 6


@dataclass(frozen=True)
class Column:
    """A guess at what a column is.

    Attributes
    ----------
    name : str
    kind : str
        ``classification``, ``regression``, or empty if it is nothing to predict.
    remark : str
        What the guess is from.
    classes : tuple of str
        Values of a classification, as the table writes them.
    is_compared : bool
        Whether its people are enough for a verdict of the report, should all be usable.
    """

    name: str
    kind: Literal["classification", "regression", ""]
    remark: str
    classes: tuple[str, ...] = ()
    is_compared: bool = True


@dataclass(frozen=True)
class PeopleTable:
    """A table of participants and what its columns seem to be.

    Attributes
    ----------
    path : Path
    id_column : str
    columns : list of Column
        All but the ids, those of `keys` included if they can be predicted (age, sex).
    keys : dict of str to str
        Keys of a data set such as ``site_column``, and their columns.
    missing : dict of str to list of str
        Codes that look like missing values, and the columns that have them.
    digits : int or None
        See `participant_digits` of a data set.
    """

    path: Path
    id_column: str
    columns: list[Column]
    keys: dict[str, str] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    digits: int | None = None


def find_table(data: DataFolder, given: Path | None, missing: Sequence[str]) -> PeopleTable | None:
    """Find the table of participants, and guess at its columns.

    Parameters
    ----------
    data : DataFolder
    given : Path, optional
        The table, if the user names it.
    missing : sequence of str
        Codes for missing values that are known.

    Returns
    -------
    PeopleTable or None
        None if there is no table whose ids are those of the scans.

    Raises
    ------
    UserError
        When the table that is given cannot be read or has no column with ids of the scans.
    """
    candidates = [given] if given else list(_candidates(data))
    for path in candidates:
        try:
            table = read_text_table(path, missing)
        except UserError:
            if given:
                raise
            continue
        id_column = _id_column(table, data.people)
        if id_column is not None:
            return _guessed(table, id_column, data.people)
    if given:
        raise UserError(
            f"{given} has no column with the ids of the scans, such as {_some(data.people)}. Name "
            "the table of these participants."
        )
    return None


def _candidates(data: DataFolder) -> Iterator[Path]:
    """Yield tables that could be it: the usual name here and above, then all that are beside."""
    folder = data.path if data.path.is_dir() else data.path.parent
    for place in (folder, *list(folder.resolve().parents)[:_LOOK_ABOVE]):
        if (place / TABLE).is_file():
            yield place / TABLE
    ending, people = (data.template or "").rpartition("}")[2], {_bare(name) for name in data.people}
    for path in sorted(folder.iterdir()):
        name = path.name.removesuffix(ending)
        is_series = name.startswith("sub-") or (bool(ending) and _bare(name) in people)
        if path.suffix in (".tsv", ".csv") and path.name != TABLE and not is_series:
            yield path


def _id_column(table: TextTable, people: Collection[str]) -> str | None:
    """Return the column with most ids of the scans; the first one if their ids are not known."""
    if not people:
        return next(iter(table.columns), None)
    known = {_bare(name) for name in people}
    # Ages can be the numbers of people.
    covariates = set(covariate_columns(list(table.columns)).values())
    matches = {
        name: len(known & {_bare(cell) for cell in cells if cell})
        for name, cells in table.columns.items()
        if name not in covariates
    }
    best = max(matches, key=lambda name: matches[name], default=None)
    rows = min(len(known), table.n_rows)
    return best if best and matches[best] >= max(1, MIN_MATCHING * rows) else None


def _bare(name: str) -> str:
    # Spreadsheets take away leading zeros.
    return name.removeprefix("sub-").lstrip("0")


def _digits(people: Sequence[str], cells: Sequence[str | None]) -> int | None:
    """Return of how many digits ids are in file names, if the table writes them without zeros."""
    lengths = {len(name) for name in people if name.isdecimal()}
    in_table = {len(_without_prefix(cell)) for cell in cells if cell}
    differ = len(lengths) == 1 and all(map(str.isdecimal, people)) and in_table != lengths
    return lengths.pop() if differ else None


def _without_prefix(name: str) -> str:
    return name.removeprefix("sub-")


def _guessed(table: TextTable, id_column: str, people: Sequence[str]) -> PeopleTable:
    """Guess at all columns of a table, from the rows of people with scans."""
    table = _of_scans(table, id_column, people)
    names = [name for name in table.columns if name != id_column]
    covariates = {name: column for name, column in covariate_columns(names).items() if column}
    keys = {KEYS[name]: column for name, column in covariates.items()}
    family = next((name for name in names if name.lower() in FAMILY), None)
    keys |= {"group_column": family} if family else {}
    no_target = {keys.get(key) for key in ("site_column", "motion_column", "group_column")}
    missing = dict[str, list[str]]()
    columns = list[Column]()
    for name in names:
        counts = Counter(cell for cell in table.columns[name] if cell is not None)
        is_measure = _distinct_numbers(counts) >= MIN_MEASURE
        while code := missing_code(counts, is_measure=is_measure):
            missing.setdefault(code, []).append(name)
            del counts[code]
        if name not in no_target:
            columns.append(_column(name, counts, table.n_rows))
    digits = _digits(people, table.columns[id_column])
    return PeopleTable(table.path, id_column, columns, keys, missing, digits)


def _of_scans(table: TextTable, id_column: str, people: Sequence[str]) -> TextTable:
    """Keep the rows of people with scans; all if it is not known who has."""
    if not people:
        return table
    known = {_bare(name) for name in people}
    rows = [
        row for row, cell in enumerate(table.columns[id_column]) if cell and _bare(cell) in known
    ]
    columns = {name: [cells[row] for row in rows] for name, cells in table.columns.items()}
    return TextTable(table.path, columns)


def _distinct_numbers(counts: Counter[str]) -> int:
    return sum(as_number(value) is not None for value in counts)


def _column(name: str, counts: Counter[str], people: int) -> Column:
    """Guess whether a column is classes, a measure, or nothing to predict."""
    distinct, total = len(counts), counts.total()
    if distinct < 2:
        return Column(name, "", "it has a single value" if distinct else "it is empty")
    numbers = _distinct_numbers(counts)
    if numbers == distinct and distinct >= MIN_MEASURE:
        values = sorted(number for value in counts if (number := as_number(value)) is not None)
        is_id = re.search(r"(?i)(^|_)(id|x|subj|subject|index|number)$", name) is not None
        whole = distinct == total and all(value.is_integer() for value in values)
        if whole and (is_id or total > MANY):
            return Column(name, "", "all its values are different whole numbers, as of ids")
        remark = f"{total} numbers from {values[0]:g} to {values[-1]:g}"
        if distinct < MIN_SCALE and values == list(range(int(values[0]), int(values[-1]) + 1)):
            return Column(name, "", f"codes of classes, or a scale? {remark}")
        has_no_r = total < 2 * MIN_TESTED <= people
        if has_no_r or _too_few(Phenotype(kind="regression"), counts):
            return Column(name, "", f"too few people ({remark})")
        return Column(name, "regression", remark, is_compared=_is_compared(total))
    if re.fullmatch(r"(?i).*(date|id)", name) or distinct > MOST_CLASSES:
        return Column(name, "", f"it is text with {distinct} different values")
    rarest, count = min(counts.items(), key=lambda item: item[1])
    shown = ", ".join(f"{value}: {n}" for value, n in counts.most_common(_CODES_SHOWN))
    if count < MIN_OF_CLASS:
        few = "1 person is" if count == 1 else f"{count} people are"
        return Column(name, "", f"only {few} '{rarest}' ({shown})")
    if _too_few(Phenotype(kind="classification"), counts):
        return Column(name, "", f"too few people ({shown})")
    is_compared = _is_compared(total, count)
    return Column(name, "classification", shown, tuple(sorted(counts)), is_compared)


def _too_few(phenotype: Phenotype, counts: Counter[str]) -> bool:
    """Whether a run with default splits would refuse a column; only people with scans count."""
    try:
        require_sizes("", phenotype, list(counts.elements()), _defaults())
    except UserError:
        return True
    return False


def _is_compared(people: int, smallest_class: int | None = None) -> bool:
    return _defaults().splits.test_people(people, smallest_class) >= MIN_TESTED


@cache
def _defaults() -> Config:
    return Config.model_validate({"datasets": {"any": {"path": "."}}})


def _some(people: Sequence[str]) -> str:
    return ", ".join(people[:3])
