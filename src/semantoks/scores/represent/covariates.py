"""Covariates of a scan that do not come from the brain: age, sex, site, head motion, length.

As features they are the representation "confounds", the baseline that shows how well a phenotype is
predicted without any neural signal.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from semantoks.errors import UserError
from semantoks.people.checks import require_clean
from semantoks.people.columns import (
    KEYS,
    Names,
    also_there,
    confounds_sentence,
    covariate_columns,
    listed,
    may_be_absent,
)
from semantoks.people.measures import as_age
from semantoks.scores.participants import as_texts, parse_numbers, require_numbers

log = logging.getLogger(__name__)
CATEGORICAL = ("sex", "site")
NUMERIC = ("age", "mean_fd", "seconds", "repetition_time")
FEATURES = ("age", "mean_fd", "seconds", "sex", "site")


def covariates_of_scans(
    scans: pd.DataFrame, participants: pd.DataFrame, named: Mapping[str, Names] | None = None
) -> pd.DataFrame:
    """Gather the covariates of each scan from the tables of scans and participants.

    Parameters
    ----------
    scans : DataFrame
        Included scans with ``participant_id`` and, where known, ``mean_fd`` (mean framewise
        displacement, mm), ``seconds`` and ``repetition_time`` (s).
    participants : DataFrame
        One row per participant; ``mean_fd`` is taken from here if the scans do not have it.
    named : mapping of str to (str or sequence of str), optional
        Names of the columns of covariates that are configured; of several, the first that the table
        has. The others are recognised by the names in `people.columns`, in upper or lower case.

    Returns
    -------
    DataFrame
        One row per scan in the order of `scans`, with the columns of `NUMERIC` (float) and
        `CATEGORICAL` (object) that are known.

    Raises
    ------
    UserError
        If a column holds codes for missing values, two spellings of a value, or text among numbers,
        or if it is not clear which column is meant.
    """
    columns = _columns_of_covariates(participants, named or {})
    of_scans = participants.set_index("participant_id").reindex(scans["participant_id"])
    table = pd.DataFrame(index=range(len(scans)))
    for name in (*NUMERIC, *CATEGORICAL):
        if _is_measured(scans, name):
            table[name] = scans[name].to_numpy()
        elif columns.get(name) in of_scans:
            values = _checked(of_scans[columns[name]], name)
            if values is not None:
                table[name] = values.to_numpy()
    for name in table.columns.intersection(NUMERIC):
        table[name] = parse_numbers(table[name])
    for name in table.columns.intersection(CATEGORICAL):  # a site may be coded as a number
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    return table


def _is_measured(scans: pd.DataFrame, name: str) -> bool:
    return name in scans and bool(scans[name].notna().any())


def confound_sources(
    names: Sequence[str],
    scans: pd.DataFrame,
    participants: pd.DataFrame,
    named: Mapping[str, Names],
) -> dict[str, str | None]:
    """Say where each confound of `covariate_features` comes from.

    Parameters
    ----------
    names : sequence of str
        Of its features.
    scans, participants, named
        See `covariates_of_scans`.

    Returns
    -------
    dict of str to (str or None)
        Column of the table of participants; empty if it is measured in the scans; None if it is not
        among the features.
    """
    known = {name.split("=")[0] for name in names}
    columns = _columns_of_covariates(participants, named)
    return {
        name: None if name not in known else "" if _is_measured(scans, name) else columns[name]
        for name in FEATURES
    }


def log_sources(
    sources: Mapping[str, str | None], participants: pd.DataFrame, named: Mapping[str, Names]
) -> None:
    """Say which confounds are used, from which columns, and of which names the first is taken."""
    log.info("%s", confounds_sentence(sources))
    for covariate, names in named.items():
        if note := also_there(names, participants.columns):
            log.warning("%s: %s", KEYS[covariate], note)


def _checked(values: pd.Series, name: str) -> pd.Series | None:
    """Return a covariate of the table of participants; None if it has no number that it needs."""
    where, is_measure = f"Column '{values.name}' of the participants table", name in NUMERIC
    require_clean(as_texts(values), where, is_measure=is_measure)
    if not is_measure:
        return values
    if name == "age":
        values = pd.Series([_middle(value) for value in values], values.index, name=values.name)
    if values.notna().any() and parse_numbers(values).isna().all():
        example = values.dropna().iloc[0]
        log.warning("%s is not a confound, as it has no number (%s)", where, example)
        return None
    return require_numbers(values, where)


def _middle(age: object) -> object:
    """Return the middle of a range of ages; other values as they are."""
    number = as_age(age) if isinstance(age, str) else None
    return age if number is None else number


def _columns_of_covariates(
    participants: pd.DataFrame, named: Mapping[str, Names]
) -> dict[str, str | None]:
    """Find the columns in upper and lower case; those that are configured as they are written."""
    columns = covariate_columns([str(name) for name in participants.columns], named)
    for covariate, names in named.items():
        if columns[covariate] is None and not may_be_absent(names):
            raise UserError(
                f"The participants table has no column {listed(names)} ({KEYS[covariate]})."
            )
    return columns


def covariates_of_participants(
    scans: pd.DataFrame, participants: pd.DataFrame, named: Mapping[str, Names] | None = None
) -> pd.DataFrame:
    """Summarise the covariates of each participant over their scans.

    Parameters
    ----------
    scans : DataFrame
        Included scans.
    participants : DataFrame
    named : mapping of str to (str or sequence of str), optional
        See `covariates_of_scans`.

    Returns
    -------
    DataFrame
        Indexed by participant: the first value of categorical covariates, the mean of numeric ones.
    """
    scans = scans.reset_index(drop=True)
    covariates = covariates_of_scans(scans, participants, named)
    grouped = covariates.groupby(scans["participant_id"])
    categorical = [name for name in covariates if name in CATEGORICAL]
    numeric = [name for name in covariates if name not in CATEGORICAL]
    return pd.concat([grouped[categorical].first(), grouped[numeric].mean()], axis=1)


def covariate_features(
    scans: pd.DataFrame, participants: pd.DataFrame, named: Mapping[str, Names] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Encode covariates as numeric features.

    The repetition time, which the leakage card scores, is not among them.

    Parameters
    ----------
    scans, participants, named
        See `covariates_of_scans`.

    Returns
    -------
    features_SF : ndarray, shape (scans, features)
    names : list of str
        A categorical covariate is one-hot encoded as ``site=value``.
    """
    known = covariates_of_scans(scans, participants, named)
    table = known[[name for name in FEATURES if name in known]]
    categorical = [name for name in CATEGORICAL if name in table]
    one_hot = table[[]]
    if categorical:
        # A missing site is zero in all columns, not a level of its own.
        one_hot = pd.get_dummies(table[categorical], prefix_sep="=", dtype=float)
    features = pd.concat([table.drop(columns=categorical), one_hot], axis=1)
    return features.to_numpy(float), [str(name) for name in features.columns]
