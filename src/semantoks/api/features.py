"""Features and people as they are given to `semantoks.score`."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeGuard, get_args

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype, is_numeric_dtype

from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.config import Baseline
from semantoks.data.index.derivatives.scans import PARQUET_PATTERN
from semantoks.errors import UserError, shown

log = logging.getLogger(__name__)
ID = "participant_id"
MAIN = "features"  # name of the row that is compared with the baselines
Features: TypeAlias = pd.DataFrame | np.ndarray


def is_series(given: object) -> TypeGuard[str | Path | Sequence[str | Path]]:
    """Whether something is a path, or a list of paths, of time series."""
    if isinstance(given, list | tuple):
        return bool(given) and all(isinstance(path, str | Path) for path in given)
    return isinstance(given, str | Path)


def series_files(given: str | Path | Sequence[str | Path]) -> list[Path]:
    """List Parquet files of time series: of a path, of several, or of a folder.

    Raises
    ------
    UserError
        When there is none.
    """
    paths = [Path(path) for path in ([given] if isinstance(given, str | Path) else given)]
    files = list[Path]()
    for path in paths:
        inside = sorted(path.glob(PARQUET_PATTERN)) if path.is_dir() else [path]
        if not inside or not all(file.is_file() for file in inside):
            where = f"in the folder {path}" if path.is_dir() else f"at {path}"
            raise UserError(f"There is no file of time series {where}. Check the path.")
        files += inside
    return files


def require_names(given: Mapping[str, object], count: int) -> None:
    """Refuse names that stand for something else, and paths of what is no baseline of ours."""
    for name, value in given.items():
        if not re.fullmatch(r"\w[\w .-]*", name) or len(given) < count:
            raise UserError(
                f"A baseline is called '{shown(name)}'. Take letters, digits, '_' and '-', and "
                f"another name than '{MAIN}'."
            )
        if is_series(value) and name == MAIN:
            raise UserError(
                f"`features` is the path {shown(str(value))}, expected features. Make them first: "
                "semantoks.load(MODEL).embed(PATH)."
            )
        if is_series(value) and name not in get_args(Baseline):
            known = ", ".join(get_args(Baseline))
            raise UserError(
                f"'{shown(name)}' is the path {shown(str(value))}, and only baselines of the "
                f"workflow are made of time series ({known}). Give features, or such a name."
            )


def with_ids(people: pd.DataFrame) -> pd.DataFrame:
    """Return people with a column of ids (str), which may come as the index."""
    if not isinstance(people, pd.DataFrame):
        raise UserError(
            f"`people` is of the type {type(people).__name__}, expected a pandas table. Read a "
            "file first: pandas.read_csv(path, sep='\\t')."
        )
    if ID not in people and people.index.name == ID:
        people = people.reset_index()
    if ID not in people:
        raise UserError(
            f"`people` has no column {ID} (columns: {', '.join(map(str, people.columns))}). Rename "
            "the column with the ids."
        )
    return people.assign(**{ID: people[ID].astype(str)}).reset_index(drop=True)


def without_codes(people: pd.DataFrame, codes: Collection[object]) -> pd.DataFrame:
    """Return people with NaN in place of codes for missing values, as numbers and as texts.

    Raises
    ------
    UserError
        When the codes are a single one: the characters of a text would be codes.
    """
    if not isinstance(codes, list | tuple | set | frozenset):
        raise UserError(f"`missing_values` is {codes!r}, expected a list, such as [-9999].")
    numbers = pd.to_numeric(pd.Series([*codes], dtype=object), errors="coerce").dropna()
    is_missing = people.isin([*map(str, codes), *numbers])
    return people.mask(is_missing.assign(**{ID: False}))


def once_each(people: pd.DataFrame, known: Collection[str]) -> pd.DataFrame:
    """Refuse several rows of a participant who has features, and drop those of others.

    Tables of shared data have rows such as ``no_filename`` of everybody without a scan.
    """
    repeated = people[ID].duplicated(keep=False)
    with_features = people[ID].isin(set(known))
    if (repeated & with_features).any():
        example = people[ID][repeated & with_features].iloc[0]
        raise UserError(f"`people` has several rows of {example}. Keep one row each.")
    return people[~repeated | with_features]


def require_known(ids: Sequence[str], known: Collection[str]) -> None:
    """Refuse features of other people than those in the table."""
    if len(ids) and len(known) and not set(ids) & set(known):
        raise UserError(
            f"No participant of the features is in `people`: they are '{shown(next(iter(known)))}' "
            f"and so on there, and '{shown(ids[0])}' and so on in `people`."
        )


def by_participant(name: str, features: Features, people: pd.DataFrame) -> pd.DataFrame:
    """Return features with ids as index, or the entities of scans."""
    if isinstance(features, pd.DataFrame):
        if ID in features:
            features = features.set_index(ID)
        texts = [str(column) for column in features if not is_numeric_dtype(features[column])]
        if texts:
            raise UserError(
                f"The column '{shown(texts[0])}' of {name} holds no numbers. Leave it out, or make "
                "it the index if it is the ids."
            )
        if features.index.nlevels > 1 and ID not in features.index.names:
            raise UserError(f"The index of {name} has no level {ID}. Name the level of the ids.")
        if _only_counts_rows(features.index):
            raise UserError(
                f"The index of {name} looks like row numbers (it has no name, and a 0), expected "
                "participant ids. Make the ids the index: table.set_index(ids). Or give an array "
                f"with the rows of `people`. If they are ids, call the index {ID}."
            )
        return features
    try:
        values = np.asarray(features, float)
    except (TypeError, ValueError):
        raise UserError(
            f"{name} is no table and no array of numbers, but of the type "
            f"{type(features).__name__}. Give a pandas table or an array (participants, features)."
        ) from None
    if values.ndim != 2 or len(values) != len(people):
        raise UserError(
            f"{name} has the shape {values.shape}, expected ({len(people)}, features): the rows of "
            "`people`. A table with participant ids as its index may have others."
        )
    return pd.DataFrame(values, pd.Index(people[ID], name=ID))


def _only_counts_rows(index: pd.Index) -> bool:
    """Whether an index seems to be the default one of pandas, perhaps after a choice of rows."""
    return index.name is None and is_integer_dtype(index.dtype) and 0 in index


def finite_as_stored(name: str, features_SF: np.ndarray) -> np.ndarray:
    """Return features with NaN for those that are infinite as float32, and say how many are."""
    values_SF = np.where(np.abs(features_SF) <= np.finfo(np.float32).max, features_SF, np.nan)
    unknown_SF = np.isnan(values_SF)
    if unknown_SF.any():
        log.warning(
            "%s: %d values in %d of %d rows are NaN or infinite (or too large for float32). They "
            "count as not known, and take the mean of the training part.",
            name,
            unknown_SF.sum(),
            unknown_SF.any(axis=1).sum(),
            len(values_SF),
        )
    return values_SF


def entities_of(index: pd.Index) -> pd.DataFrame:
    """Return the entities of scans; scans without a name are numbered."""
    levels = index.to_frame(index=False)
    table = pd.DataFrame({ID: levels[ID if ID in levels else levels.columns[0]].astype(str)})
    for key in SCAN_ENTITIES:
        if key != ID:
            table[key] = levels[key].astype(str) if key in levels else ""
    if "scan" not in levels:
        number = table.groupby(ID).cumcount()
        table["scan"] = [f"{person}_{n}" for person, n in zip(table[ID], number, strict=True)]
    return table[list(SCAN_ENTITIES)]
