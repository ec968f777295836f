"""Checks of a data set's table of participants, made once before anything is planned.

Whatever could stop a run after hours of preprocessing and pretraining because of the table alone is
found here. People without a scan still count: that is known only later.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from semantoks.config import Condition, Config, Dataset, Phenotype
from semantoks.config.preflight.sizes import class_name, require_sizes
from semantoks.config.preflight.tables import covariates, read_used_columns, table_columns
from semantoks.errors import UserError
from semantoks.people.checks import require_clean, require_every_spelling
from semantoks.people.columns import code_columns, find_column
from semantoks.people.measures import MEASURES, require_no_measure, require_numbers
from semantoks.people.read import as_number
from semantoks.people.tables import People


def require_usable_values(name: str, dataset: Dataset, config: Config) -> None:
    """Check the values of the columns that are used, and the sizes of classes and parts.

    Raises
    ------
    UserError
    """
    table = read_used_columns(dataset, config)
    columns = list(table.columns)
    where = f"datasets.{name}: column '{{}}' of {table.name}"
    named = (find_column(c, columns) for c in (dataset.site_column, dataset.group_column))
    for column in filter(None, named):
        require_clean(table.columns[column], where.format(column), is_measure=False)
    _require_repetition_times(name, dataset, table)
    for key, phenotype in dataset.phenotypes.items():
        _require_phenotype(f"datasets.{name}.phenotypes.{key}", key, phenotype, table, config)
    # The splits and the card of a phenotype need them, whatever the baselines are.
    known = covariates(dataset, table_columns(dataset)) if dataset.phenotypes else {}
    for covariate, column in known.items():
        _require_covariate(covariate, table.columns[column], where.format(column))
    for phenotype in dataset.phenotypes.values():
        matched = phenotype.columns_to_match(config.splits.match)
        for column in filter(None, (find_column(names, columns) for names in matched)):
            is_code = column in code_columns(columns, dataset.confound_columns())
            _require_matched(table.columns[column], where.format(column), is_code=is_code)


def _require_phenotype(
    where: str, name: str, phenotype: Phenotype, table: People, config: Config
) -> None:
    """Check the values that a phenotype predicts, and of which participants."""
    columns = list(table.columns)
    # Columns of the events are checked by `split`, when all of them have been read.
    conditions = [entry for entry in _conditions(phenotype, columns) if entry[1] in columns]
    for key, column, condition in conditions:
        place = f"{where}: `include.{key}`"
        require_every_spelling(condition.values or (), table.columns[column], place)
        if not condition.has_no_limits:
            require_numbers(table.columns[column], f"{place}: the column")
    column = find_column(phenotype.columns_of(name), columns) or name
    if column not in columns:
        return
    cells = _included(table, conditions, column)
    limits = next((c for _, other, c in conditions if other == column), None)
    of_column = f"{where}: column '{column}' of {table.name}"
    if phenotype.values is None and (limits is None or limits.has_no_limits):
        require_clean(cells, of_column, is_measure=not phenotype.has_named_classes)
    if not phenotype.has_named_classes:
        classes = ", or set `kind: classification`" if phenotype.kind == "regression" else ""
        require_numbers(table.columns[column], of_column, as_number, classes)
    require_sizes(where, phenotype, cells, config)


def _require_covariate(name: str, cells: Sequence[str | None], where: str) -> None:
    is_measure = name in MEASURES
    require_clean(cells, where, is_measure=is_measure)
    if is_measure and not is_text_alone(name, cells):
        require_numbers(cells, where, MEASURES[name])


def is_text_alone(name: str, cells: Sequence[str | None]) -> bool:
    """Whether a covariate that is a measure has no number at all."""
    known = {cell for cell in cells if cell is not None}
    return bool(known) and all(MEASURES[name](cell) is None for cell in known)


def _require_matched(cells: Sequence[str | None], where: str, *, is_code: bool) -> None:
    """Check a column of `splits.match`: numbers, or classes and codes that must be equal."""
    is_measure = not is_code and all(
        cell is None or as_number(cell) is not None for cell in set(cells)
    )
    require_no_measure(cells, where)
    require_clean(cells, where, is_measure=is_measure)


def _require_repetition_times(name: str, dataset: Dataset, table: People) -> None:
    """Check that `repetition_time` gives seconds for the values of its column."""
    given = dataset.repetition_time
    if isinstance(given, dict):
        column, seconds_of = next(iter(given.items()))
        listed = {class_name(str(value)) for value in seconds_of}
        counts = Counter(class_name(cell) for cell in table.columns[column] if cell is not None)
        absent = sorted(set(counts) - listed)
        # Which of them have scans is known to `index` only, which warns of the others.
        if absent and len(absent) == len(counts):
            raise UserError(
                f"datasets.{name}.repetition_time lists no TR for {column} '{absent[0]}' "
                f"({counts[absent[0]]} participants in {table.name}"
                f"{f'; also {len(absent) - 1} others' if absent[1:] else ''}). Add it; a TR that "
                "a file states has priority."
            )
    elif isinstance(given, str):
        for cell in table.columns[given]:
            if cell is not None and not (as_number(cell) or 0) > 0:
                raise UserError(
                    f"datasets.{name}.repetition_time names the column '{given}', which holds "
                    f"'{cell}'. Write seconds, or list what is missing in `missing_values`."
                )


def _conditions(phenotype: Phenotype, columns: Sequence[str]) -> list[tuple[str, str, Condition]]:
    """Return the name, the column and the limits of each condition."""
    return [
        (name, find_column(names, columns) or name, condition)
        for name, names, condition in phenotype.conditions()
    ]


def _included(
    table: People, conditions: Sequence[tuple[str, str, Condition]], column: str
) -> list[str]:
    """Cells of a phenotype's column of those who meet its conditions and have a value."""
    rows = list(range(table.n_rows))
    for _, name, condition in conditions:
        cells = table.columns[name]
        rows = [row for row in rows if _meets(cells[row], condition)]
    cells = table.columns[column]
    return [cell for row in rows if (cell := cells[row]) is not None]


def _meets(cell: str | None, condition: Condition) -> bool:
    if cell is None:
        return False
    if condition.values is not None and not {cell, class_name(cell)} & set(condition.values):
        return False
    number = as_number(cell.rstrip("+"))
    number = math.nan if number is None else number
    return (condition.min is None or number >= condition.min) and (
        condition.max is None or number <= condition.max
    )
