"""Phenotypes that say the same as a confound, though under another name.

A representation that holds the confound then predicts the phenotype, and the confounds alone do so
perfectly, whether or not the phenotype has anything to do with the brain.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from semantoks.people.columns import Names, alternatives
from semantoks.scores.represent.covariates import CATEGORICAL
from semantoks.scores.target_features import target_features

SAME = 0.999  # of a correlation
MIN_PARTICIPANTS = 10
MIN_CLASS = 5  # smaller ones are on one side of a threshold by chance


def determining_confounds(
    target: pd.Series,
    covariates: pd.DataFrame,
    column: Names,
    named: Mapping[str, Names] | None = None,
) -> list[str]:
    """Name the confounds that determine a phenotype.

    A number is determined by a number that it correlates with by more than 0.999, as values or as
    ranks; by sex or site if it is the same in all members of each. Classes are determined by sex or
    site if each of these has members of one class only; by a number if no two classes overlap in
    it.

    Parameters
    ----------
    target : Series
        Class names or numbers, indexed by participant.
    covariates : DataFrame
        Of `covariates_of_participants`.
    column : str or sequence of str
        Names of the column of the phenotype. A confound from the same column is no copy: the
        phenotype is asked for as what it is, and is taken out of the confounds.
    named : mapping of str to (str or sequence of str), optional
        Names of the columns of confounds that are configured.

    Returns
    -------
    list of str
        Names of covariates.
    """
    itself = target_features(alternatives(column)[0], column, named)
    return [
        str(name)
        for name in covariates
        if name not in itself and _is_determined(target, covariates[name], name in CATEGORICAL)
    ]


def _is_determined(target: pd.Series, covariate: pd.Series, is_categorical: bool) -> bool:
    covariate = covariate.reindex(target.index)
    known = covariate.notna()
    values, covariate = target[known], covariate[known]
    if len(values) < MIN_PARTICIPANTS or values.nunique() < 2 or covariate.nunique() < 2:
        return False
    is_number = pd.api.types.is_numeric_dtype(values)
    if is_categorical:
        return _is_function_of_groups(values, covariate)
    return _is_same_number(values, covariate) if is_number else _is_separated(values, covariate)


def _is_function_of_groups(values: pd.Series, groups: pd.Series) -> bool:
    # A value per participant is a function of anything; groups must have members to agree.
    if groups.nunique() > len(groups) / MIN_CLASS:
        return False
    return bool((values.groupby(groups.to_numpy()).nunique() == 1).all())


def _is_same_number(values: pd.Series, covariate: pd.Series) -> bool:
    covariate = covariate.astype(float)
    linear = values.corr(covariate)
    monotone = values.rank().corr(covariate.rank())  # Spearman; scipy.stats takes a second
    return max(abs(linear), abs(monotone)) > SAME


def _is_separated(classes: pd.Series, covariate: pd.Series) -> bool:
    """Return whether the classes are intervals of the covariate."""
    grouped = covariate.astype(float).groupby(classes.to_numpy())
    if grouped.size().min() < MIN_CLASS:
        return False
    limits = grouped.agg(["min", "max"]).sort_values("min")
    return bool((limits["min"].to_numpy()[1:] > limits["max"].to_numpy()[:-1]).all())
