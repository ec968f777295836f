"""Checks of a data set's table of participants, made once before anything is planned.

Whatever could stop a run after hours of preprocessing and pretraining because of the table alone is
found here. People without a scan still count: that is known only later.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from semantoks.config import Condition, Config, Dataset, Phenotype
from semantoks.config.participants_table import HDF5_SUFFIXES
from semantoks.config.preflight.sizes import class_name, require_sizes
from semantoks.config.suggestions import suggest
from semantoks.errors import UserError
from semantoks.people.checks import require_clean, require_every_spelling
from semantoks.people.columns import covariate_columns
from semantoks.people.measures import MEASURES, require_no_measure, require_numbers
from semantoks.people.read import TextTable, as_number, read_text_table

LISTED_COLUMNS = 12  # phenotype tables have hundreds


def require_columns(name: str, dataset: Dataset, config: Config, source: str) -> None:
    """Check that a table has the columns that the configuration names.

    Raises
    ------
    UserError
    """
    table = Path(dataset.participants).name
    columns = list(_read(dataset, None).columns)
    for column, key in _columns_needed(name, dataset, config).items():
        if column in columns:
            continue
        others = [other for other in columns if other != dataset.participant_column]
        more = ", …" if len(others) > LISTED_COLUMNS else ""
        by_case = [other for other in columns if other.lower() == column.lower()]
        hint = suggest(column, by_case) + " " if by_case else ""
        raise UserError(
            f"{name} has no column '{column}' in {table} (columns: "
            f"{', '.join(others[:LISTED_COLUMNS])}{more}). {hint[:1].upper()}{hint[1:]}"
            f"Name an existing column under {key} in {source}."
        )


def require_usable_values(name: str, dataset: Dataset, config: Config) -> None:
    """Check the values of the columns that are used, and the sizes of classes and parts.

    Raises
    ------
    UserError
    """
    table = _read(dataset, config)
    if not table.n_rows:
        return  # `index` says so
    where = f"datasets.{name}: column '{{}}' of {table.path.name}"
    for column in filter(None, (dataset.site_column, dataset.group_column)):
        require_clean(table.columns[column], where.format(column), is_measure=False)
    _require_repetition_times(name, dataset, table)
    for key, phenotype in dataset.phenotypes.items():
        _require_phenotype(f"datasets.{name}.phenotypes.{key}", key, phenotype, table, config)
    # The splits and the card of a phenotype need them, whatever the baselines are.
    for covariate, column in _covariates(table, dataset).items() if dataset.phenotypes else ():
        _require_covariate(covariate, table.columns[column], where.format(column))
    for column in _columns_matched(name, dataset, config):
        _require_matched(table.columns[column], where.format(column))


def _require_phenotype(
    where: str, name: str, phenotype: Phenotype, table: TextTable, config: Config
) -> None:
    """Check the values that a phenotype predicts, and of which participants."""
    for column, condition in phenotype.include.items():
        place = f"{where}: `include.{column}`"
        require_every_spelling(condition.values or (), table.columns[column], place)
        if not condition.has_no_limits:
            require_numbers(table.columns[column], f"{place}: the column")
    column = phenotype.column_of(name)
    cells, limits = _included(table, phenotype, column), phenotype.include.get(column)
    of_column = f"{where}: column '{column}' of {table.path.name}"
    if phenotype.values is None and (limits is None or limits.has_no_limits):
        require_clean(cells, of_column, is_measure=not phenotype.has_named_classes)
    if not phenotype.has_named_classes:
        require_numbers(table.columns[column], of_column, as_number)
    require_sizes(where, phenotype, cells, config)


def _require_covariate(name: str, cells: Sequence[str | None], where: str) -> None:
    is_measure = name in MEASURES
    require_clean(cells, where, is_measure=is_measure)
    if is_measure and not _is_text(name, cells):
        require_numbers(cells, where, MEASURES[name])


def _is_text(name: str, cells: Sequence[str | None]) -> bool:
    """Whether a covariate that is a measure has no number at all."""
    known = {cell for cell in cells if cell is not None}
    return bool(known) and all(MEASURES[name](cell) is None for cell in known)


def _require_matched(cells: Sequence[str | None], where: str) -> None:
    """Check a column of `splits.match`: numbers, or classes that must be equal."""
    is_measure = all(cell is None or as_number(cell) is not None for cell in cells)
    require_no_measure(cells, where)
    require_clean(cells, where, is_measure=is_measure)


def unused_confounds(dataset: Dataset, config: Config) -> Iterator[str]:
    """Yield a sentence for each confound that is known by its name but has no number.

    Parameters
    ----------
    dataset : Dataset
    config : Config
    """
    path = dataset.participants_table()
    if dataset.simulate or not dataset.phenotypes or not path.is_file():
        return
    if path.suffix in HDF5_SUFFIXES:
        return
    table = _read(dataset, config)
    for name, column in _covariates(table, dataset).items():
        cells = table.columns[column]
        if name in MEASURES and _is_text(name, cells):
            example = next(cell for cell in cells if cell is not None)
            yield (
                f"column '{column}' of {path.name} is not used as the confound {name}, since it "
                f"has no number (such as '{example}'). Write numbers alone."
            )


def _read(dataset: Dataset, config: Config | None) -> TextTable:
    """Read the columns that are used; without a configuration, only the names of all columns."""
    path = dataset.participants_table()
    wanted = None
    if config is not None:
        columns = read_text_table(path, rows=0).columns
        covariates = covariate_columns(list(columns), dataset.site_column).values()
        wanted = {*_columns_needed("", dataset, config), *filter(None, covariates)}
    return read_text_table(
        path,
        dataset.missing_values,
        dataset.participant_column,
        wanted,
        rows=0 if config is None else None,
    )


def _columns_needed(name: str, dataset: Dataset, config: Config) -> dict[str, str]:
    """Columns of the table of participants that the configuration names, and by which key."""
    key = f"datasets.{name}"
    columns = {dataset.participant_column: f"{key}.participant_column"}
    for phenotype_name, phenotype in dataset.phenotypes.items():
        columns[phenotype.column_of(phenotype_name)] = f"{key}.phenotypes"
        columns |= dict.fromkeys(phenotype.include, f"{key}.phenotypes.{phenotype_name}.include")
    columns |= _columns_matched(name, dataset, config)
    for field in ("site_column", "group_column"):
        if column := getattr(dataset, field):
            columns[column] = f"{key}.{field}"
    given = dataset.repetition_time
    if isinstance(given, str | dict):
        columns[given if isinstance(given, str) else next(iter(given))] = f"{key}.repetition_time"
    return columns


def _columns_matched(name: str, dataset: Dataset, config: Config) -> dict[str, str]:
    """Columns that participants are matched on, and the key that names each."""
    columns: dict[str, str] = {}
    for phenotype_name, phenotype in dataset.phenotypes.items():
        key = f"datasets.{name}.phenotypes.{phenotype_name}.match"
        key = "splits.match" if phenotype.match is None else key
        columns |= dict.fromkeys(phenotype.columns_to_match(config.splits.match), key)
    return columns


def _covariates(table: TextTable, dataset: Dataset) -> dict[str, str]:
    columns = covariate_columns(list(table.columns), dataset.site_column)
    return {name: column for name, column in columns.items() if column in table.columns}


def _require_repetition_times(name: str, dataset: Dataset, table: TextTable) -> None:
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
                f"({counts[absent[0]]} participants in {table.path.name}"
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


def _included(table: TextTable, phenotype: Phenotype, column: str) -> list[str]:
    """Cells of a phenotype's column of those who meet its conditions and have a value."""
    rows = list(range(table.n_rows))
    for name, condition in phenotype.include.items():
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
