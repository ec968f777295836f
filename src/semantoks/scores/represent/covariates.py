"""Covariates of a scan that do not come from the brain: age, sex, site, head motion, length.

As features they are the representation "confounds", the baseline that shows how well a phenotype is
predicted without any neural signal.
"""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from semantoks.errors import UserError
from semantoks.people.checks import require_clean
from semantoks.people.columns import covariate_columns
from semantoks.people.measures import as_age
from semantoks.scores.participants import as_texts, parse_numbers, require_numbers

log = logging.getLogger(__name__)
CATEGORICAL = ("sex", "site")
NUMERIC = ("age", "mean_fd", "seconds", "repetition_time")
FEATURES = ("age", "mean_fd", "seconds", "sex", "site")


def covariates_of_scans(
    scans: pd.DataFrame, participants: pd.DataFrame, site_column: str | None = None
) -> pd.DataFrame:
    """Gather the covariates of each scan from the tables of scans and participants.

    Parameters
    ----------
    scans : DataFrame
        Included scans with ``participant_id`` and, where known, ``mean_fd`` (mean framewise
        displacement, mm), ``seconds`` and ``repetition_time`` (s).
    participants : DataFrame
        One row per participant. Columns are recognised by the names in `people.columns`, in upper
        or lower case; ``mean_fd`` is taken from here if the scans do not have it.
    site_column : str, optional
        Column of the site, if it has another name.

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
    columns = _columns_of_covariates(participants, site_column)
    of_scans = participants.set_index("participant_id").reindex(scans["participant_id"])
    table = pd.DataFrame(index=range(len(scans)))
    for name in (*NUMERIC, *CATEGORICAL):
        if name in scans and scans[name].notna().any():
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
    participants: pd.DataFrame, site_column: str | None
) -> dict[str, str | None]:
    """Find the columns in upper and lower case; that of `site_column` as it is written."""
    columns = covariate_columns([str(name) for name in participants.columns], site_column)
    if site_column is not None and site_column not in participants:
        raise UserError(f"The participants table has no column '{site_column}' (site_column).")
    return columns


def covariates_of_participants(
    scans: pd.DataFrame, participants: pd.DataFrame, site_column: str | None
) -> pd.DataFrame:
    """Summarise the covariates of each participant over their scans.

    Parameters
    ----------
    scans : DataFrame
        Included scans.
    participants : DataFrame
    site_column : str or None

    Returns
    -------
    DataFrame
        Indexed by participant: the first value of categorical covariates, the mean of numeric ones.
    """
    scans = scans.reset_index(drop=True)
    covariates = covariates_of_scans(scans, participants, site_column)
    grouped = covariates.groupby(scans["participant_id"])
    categorical = [name for name in covariates if name in CATEGORICAL]
    numeric = [name for name in covariates if name not in CATEGORICAL]
    return pd.concat([grouped[categorical].first(), grouped[numeric].mean()], axis=1)


def covariate_features(
    scans: pd.DataFrame, participants: pd.DataFrame, site_column: str | None = None
) -> tuple[np.ndarray, list[str]]:
    """Encode covariates as numeric features.

    The repetition time, which the leakage card scores, is not among them.

    Parameters
    ----------
    scans, participants, site_column
        See `covariates_of_scans`.

    Returns
    -------
    features_SF : ndarray, shape (scans, features)
    names : list of str
        A categorical covariate is one-hot encoded as ``site=value``.
    """
    known = covariates_of_scans(scans, participants, site_column)
    table = known[[name for name in FEATURES if name in known]]
    categorical = [name for name in CATEGORICAL if name in table]
    one_hot = table[[]]
    if categorical:
        # A missing site is zero in all columns, not a level of its own.
        one_hot = pd.get_dummies(table[categorical], prefix_sep="=", dtype=float)
    features = pd.concat([table.drop(columns=categorical), one_hot], axis=1)
    return features.to_numpy(float), [str(name) for name in features.columns]
