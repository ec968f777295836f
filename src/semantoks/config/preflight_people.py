"""Checks of a data set's table of participants, made once before anything is planned.

Whatever could stop a run after hours of preprocessing and pretraining because of the table alone is
found here. People without a scan still count: that is known only later.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from semantoks.config import Condition, Config, Dataset, Phenotype
from semantoks.config.suggestions import suggest
from semantoks.errors import UserError
from semantoks.people.checks import require_clean, require_every_spelling
from semantoks.people.columns import covariate_columns
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
    if "confounds" in config.baselines:
        for covariate, column in _covariates(table, dataset).items():
            measure = covariate in ("age", "mean_fd")
            require_clean(table.columns[column], where.format(column), is_measure=measure)
    _require_repetition_times(name, dataset, table)
    for key, phenotype in dataset.phenotypes.items():
        for column, condition in phenotype.include.items():
            place = f"datasets.{name}.phenotypes.{key}: `include.{column}`"
            require_every_spelling(condition.values or (), table.columns[column], place)
        cells = _included(table, phenotype, phenotype.column_of(key))
        limits = phenotype.include.get(phenotype.column_of(key))
        if phenotype.values is None and (limits is None or limits.has_no_limits):
            column = where.format(phenotype.column_of(key))
            require_clean(cells, column, is_measure=not phenotype.has_named_classes)
        _require_sizes(f"datasets.{name}.phenotypes.{key}", phenotype, cells, config)


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
        if phenotype.has_named_classes:
            columns |= dict.fromkeys(config.splits.match, "splits.match")
    for field in ("site_column", "group_column"):
        if column := getattr(dataset, field):
            columns[column] = f"{key}.{field}"
    given = dataset.repetition_time
    if isinstance(given, str | dict):
        columns[given if isinstance(given, str) else next(iter(given))] = f"{key}.repetition_time"
    return columns


def _covariates(table: TextTable, dataset: Dataset) -> dict[str, str]:
    columns = covariate_columns(list(table.columns), dataset.site_column)
    return {name: column for name, column in columns.items() if column in table.columns}


def _require_repetition_times(name: str, dataset: Dataset, table: TextTable) -> None:
    """Check that `repetition_time` gives seconds for the values of its column."""
    given = dataset.repetition_time
    if isinstance(given, dict):
        column, seconds_of = next(iter(given.items()))
        listed = {_class_name(str(value)) for value in seconds_of}
        counts = Counter(_class_name(cell) for cell in table.columns[column] if cell is not None)
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
    if condition.values is not None and not {cell, _class_name(cell)} & set(condition.values):
        return False
    number = as_number(cell.rstrip("+"))
    number = math.nan if number is None else number
    return (condition.min is None or number >= condition.min) and (
        condition.max is None or number <= condition.max
    )


def _class_name(cell: str) -> str:
    """Write 1.0 as 1, as the stages name classes."""
    number = as_number(cell)
    return str(int(number)) if number is not None and number.is_integer() else cell


def _require_sizes(where: str, phenotype: Phenotype, cells: Sequence[str], config: Config) -> None:
    """Check that the parts fit the people, and the classes the parts and their inner folds."""
    if phenotype.splits_file:
        return
    named, names = phenotype.has_named_classes, phenotype.values
    if named:
        classes = [_class_name(cell) for cell in cells]
        cells = [names[c] for c in classes if c in names] if names else classes
    train, test = _part_sizes(len(cells), phenotype, config)
    if train < 1 or train + test > len(cells):
        raise UserError(
            f"{where}: {len(cells)} participants of the table have a value, which is too few for "
            f"{train} in training and {test} in the test part. Change train_people, "
            "validation_people and test_people of the phenotype, or splits.test_fraction."
        )
    folds = config.probe.inner_folds if config.probe.protocol == "exact" else 1
    fraction = config.splits.test_fraction
    needed = math.ceil(1 / min(fraction, 1 - fraction))  # to be in every test part
    for group, count in (Counter(cells) if named else {}).items():
        in_training = math.ceil(count * train / len(cells))
        if count < needed:
            raise UserError(
                f"{where}: class '{group}' has {count} participants in the table, but at least "
                f"{needed} are needed to have one in every test part (splits.test_fraction: "
                f"{fraction:g}). Merge classes by `values`, or remove the phenotype."
            )
        if in_training < folds:
            raise UserError(
                f"{where}: class '{group}' has {count} participants in the table and so "
                f"{in_training} in a training part, but at least {folds} are needed there "
                "(probe.inner_folds). Merge classes by `values`, lower probe.inner_folds, or "
                "remove the phenotype."
            )
    if not named and train < 2 * folds:
        raise UserError(
            f"{where}: a training part has {train} participants, but at least {2 * folds} are "
            f"needed for probe.inner_folds: {folds}. Lower it, or remove the phenotype."
        )


def _part_sizes(people: int, phenotype: Phenotype, config: Config) -> tuple[int, int]:
    """Participants in training (with those of validation, which train too) and in the test part."""
    splits = config.splits
    test = phenotype.test_people or math.ceil(people * splits.test_fraction)
    validation = phenotype.validation_people
    if validation is None:
        validation = round(people * splits.validation_fraction)
    train = phenotype.train_people or people - test - validation
    return train + validation, test
