"""The tables of participants of a data set, read as `index` reads them, and the columns needed."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from semantoks.config import ColumnNames, Config, Dataset
from semantoks.config.participants_table import HDF5_SUFFIXES
from semantoks.config.preflight.events import event_columns
from semantoks.config.suggestions import suggest
from semantoks.errors import UserError
from semantoks.people.columns import (
    KEYS,
    also_there,
    covariate_columns,
    find_column,
    listed,
    may_be_absent,
)
from semantoks.people.layout import ID
from semantoks.people.parts import columns_of
from semantoks.people.tables import People, names_of, read_people, require_no_conflict

LISTED_COLUMNS = 12  # phenotype tables have hundreds


def is_text(dataset: Dataset) -> bool:
    """Whether the tables are text and no HDF5, which only `index` reads."""
    return all(path.suffix not in HDF5_SUFFIXES for path in dataset.participants_tables())


def read_used_columns(dataset: Dataset, config: Config) -> People:
    """Read the columns that are used, and refuse those in which two tables differ.

    Raises
    ------
    UserError
    """
    paths, layout = dataset.participants_tables(), dataset.layout()
    used = _used(columns_of(paths, layout), dataset, config)
    people = read_people(paths, layout, used)
    require_no_conflict(people, used)
    return people


def require_columns(name: str, dataset: Dataset, config: Config, source: str) -> None:
    """Check that the tables have the columns that the configuration names.

    Raises
    ------
    UserError
    """
    paths, layout = dataset.participants_tables(), dataset.layout()
    columns = columns_of(paths, layout)
    of_events = event_columns(dataset, dataset.events) if dataset.events else []
    for names, key in named_columns(name, dataset, config):
        is_confound = key.rsplit(".", 1)[-1] in KEYS.values()
        if find_column(names, [ID, *columns]) or (is_confound and may_be_absent(names)):
            continue
        if dataset.events is None or ".phenotypes" not in key:
            _refuse(name, names, key, columns, names_of(paths), source)
        # Without a file of events that tells, `split` checks them.
        if of_events and find_column(names, of_events) is None:
            known = [*columns, *(x for x in of_events if not x.startswith("event_"))]
            _refuse(name, names, key, known, f"{names_of(paths)} and the events", source)


def _refuse(
    name: str, names: ColumnNames, key: str, columns: list[str], table: str, source: str
) -> None:
    """Name the columns that are there, and one that differs in case or by a letter or two."""
    more = ", …" if len(columns) > LISTED_COLUMNS else ""
    first = names if isinstance(names, str) else names[0]
    by_case = [other for other in columns if other.lower() == first.lower()]
    alike = by_case or get_close_matches(first, columns, n=1, cutoff=0.75)
    hint = suggest(first, alike) + " " if alike else ""
    raise UserError(
        f"Data set {name} has no column {listed(names)} in {table} (columns: "
        f"{', '.join(columns[:LISTED_COLUMNS])}{more}). {hint[:1].upper()}{hint[1:]}"
        f"Name an existing column under {key} in {source}."
    )


def table_columns(dataset: Dataset) -> list[str]:
    """Return the names of all columns of the tables."""
    return columns_of(dataset.participants_tables(), dataset.layout())


def covariates(dataset: Dataset, columns: list[str]) -> dict[str, str]:
    """Return the columns of the confounds that the tables have."""
    known = covariate_columns(columns, dataset.confound_columns())
    return {name: column for name, column in known.items() if column is not None}


def surplus_alternatives(dataset: Dataset, config: Config) -> Iterator[str]:
    """Yield a sentence for each key of whose names the tables have several."""
    columns = table_columns(dataset)
    for names, key in named_columns("", dataset, config):
        if note := also_there(names, columns):
            yield f"{key.removeprefix('datasets..')}: {note}"


def named_columns(name: str, dataset: Dataset, config: Config) -> Iterator[tuple[ColumnNames, str]]:
    """Yield the columns that the configuration names, and by which key."""
    key = f"datasets.{name}"
    for phenotype_name, phenotype in dataset.phenotypes.items():
        yield phenotype.columns_of(phenotype_name), f"{key}.phenotypes"
        for _, names, _ in phenotype.conditions():
            yield names, f"{key}.phenotypes.{phenotype_name}.include"
        of_phenotype = f"{key}.phenotypes.{phenotype_name}.match"
        by_key = "splits.match" if phenotype.match is None else of_phenotype
        yield from ((names, by_key) for names in phenotype.columns_to_match(config.splits.match))
    for field in (*KEYS.values(), "group_column"):
        if names := getattr(dataset, field):
            yield names, f"{key}.{field}"
    given = dataset.repetition_time
    if isinstance(given, str | dict):
        yield given if isinstance(given, str) else next(iter(given)), f"{key}.repetition_time"


def _used(columns: list[str], dataset: Dataset, config: Config) -> set[str]:
    named = (find_column(names, columns) for names, _ in named_columns("", dataset, config))
    return {*filter(None, named), *covariates(dataset, columns).values()}
