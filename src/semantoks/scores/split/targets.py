"""Values of a phenotype, as they are predicted."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial

import numpy as np
import pandas as pd

from semantoks.config import Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.people.checks import require_clean
from semantoks.people.columns import also_there, find_column, listed
from semantoks.people.intervals import interval_name, interval_names
from semantoks.scores.participants import as_texts, class_name, column_by_participant
from semantoks.scores.probe.targets import quantile_classes

log = logging.getLogger(__name__)


def targets(participants: pd.DataFrame, name: str, phenotype: Phenotype) -> pd.Series:
    """Return the known values of a phenotype, indexed by participant.

    Parameters
    ----------
    participants : DataFrame
    name : str
        Name of the phenotype.
    phenotype : Phenotype

    Returns
    -------
    Series
        Names of classes (str); or numbers (float) for a regression and for classes that numbers
        are cut into (`in_fixed_classes`).

    Raises
    ------
    UserError
        If the column does not exist, holds no value that the phenotype can use, or has codes for
        missing values or two spellings of a class.
    """
    columns = phenotype.columns_of(name)
    column = find_column(columns, participants.columns)
    if column is None:
        known = ", ".join(str(other) for other in participants.columns if other != "participant_id")
        raise UserError(
            f"Phenotype '{name}': the participants table has no column {listed(columns)} "
            f"(columns: {known})."
        )
    if note := also_there(columns, participants.columns):
        log.warning("Phenotype '%s': %s", name, note)
    values = column_by_participant(participants, column).dropna()
    condition = next(
        (c for _, n, c in phenotype.conditions() if find_column(n, participants.columns) == column),
        None,
    )
    # Limits say which values are real, and names of classes say what is meant.
    if phenotype.values is None and (condition is None or condition.has_no_limits):
        what = f"Phenotype '{name}': column {column}"
        require_clean(as_texts(values), what, is_measure=not phenotype.has_named_classes)
    if not phenotype.has_named_classes:
        return _as_numbers(values, name)
    classes = values.map(class_name)
    if phenotype.values is None:
        return classes
    return _renamed(classes, phenotype.values, name, column)


def _renamed(classes: pd.Series, names: dict[str, str], phenotype: str, column: str) -> pd.Series:
    """Rename the classes, without participants whose value has no name."""
    named = classes.isin(list(names))
    require_known(names, classes, f"Phenotype '{phenotype}': `values`")
    if not named.any():
        present = ", ".join(sorted(classes.unique())[:5])
        raise UserError(
            f"Phenotype '{phenotype}': no value of column {column} ({present}) is among those in "
            f"`values` ({', '.join(names)}). Correct the keys of `values`."
        )
    return classes[named].map(names)


def require_known(named: Iterable[str], present: pd.Series, where: str) -> None:
    """Refuse values of the configuration that the table writes in another case.

    Raises
    ------
    UserError
    """
    absent, others = set(named) - set(present), set(present) - set(named)
    by_case = {value.casefold(): value for value in sorted(others)}
    for value in sorted(absent):
        if value.casefold() in by_case:
            raise UserError(
                f"{where} has '{value}', but the table has '{by_case[value.casefold()]}'. Write it "
                "as in the table."
            )


def in_fixed_classes(target: pd.Series, name: str, phenotype: Phenotype) -> pd.Series:
    """Cut numbers into classes that are the same in all splits, if the phenotype asks for it.

    Parameters
    ----------
    target : Series
        Numbers of all participants of the phenotype; class names are returned as they are.
    name : str
        Name of the phenotype.
    phenotype : Phenotype
        With `edges`, or with `bins` that are cut once.

    Returns
    -------
    Series
        Class names, or the numbers where classes are cut anew in each split.

    Raises
    ------
    UserError
        If a class has no participant.
    """
    if phenotype.edges:
        classes = target.map(partial(interval_name, edges=phenotype.edges))
        empty = [label for label in interval_names(phenotype.edges) if label not in set(classes)]
        if empty:
            raise UserError(
                f"Phenotype '{name}': no participant is in the class '{empty[0]}' of `edges`; "
                f"values range from {target.min():g} to {target.max():g}. Change the edges."
            )
        return classes
    if phenotype.bins and phenotype.cut == "once":
        everybody = np.arange(len(target))
        cut = quantile_classes(target.to_numpy(float), everybody, phenotype.bins, name)
        return pd.Series(np.asarray(cut.class_names)[cut.codes_P], target.index)
    return target


def _as_numbers(values: pd.Series, phenotype: str) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    invalid = values[~np.isfinite(numbers)]
    if len(invalid):
        raise UserError(
            f"Phenotype '{phenotype}' must be numeric, but {len(invalid)} of {len(values)} values "
            f"are not, such as '{invalid.iloc[0]}'. If these are classes, set `kind: "
            f"classification`. If '{invalid.iloc[0]}' means missing, list it in `missing_values` "
            "of the data set; else correct the participants table."
        )
    return numbers


def require_variation(target: pd.Series, name: str, why: str = "") -> None:
    """Refuse a target of nobody, or one that is the same in all participants.

    Parameters
    ----------
    target : Series
    name : str
    why : str
        Why participants are left out, as sentences with a blank before them.

    Raises
    ------
    UserError
    """
    if target.empty:
        raise UserError(
            f"Phenotype '{name}': no participant has both a value and a usable scan.{why} Check "
            "that the ids in the participants table match those of the scans, and check `include`."
        )
    if target.nunique() < 2:
        raise UserError(
            f"Phenotype '{name}' has the same value in all {len(target)} participants with a "
            f"usable scan, so there is nothing to predict.{why} Remove it from the configuration."
        )


def check_target(
    target: pd.Series, name: str, phenotype: Phenotype, settings: Splitting, why: str = ""
) -> None:
    """Refuse a target that cannot be scored; `why` as for `require_variation`.

    Raises
    ------
    UserError
        If no participant is left, all have the same value, or a class is too small to be in the
        test part of every split.
    """
    require_variation(target, name, why)
    if phenotype.has_fixed_classes:
        _check_class_sizes(target, name, settings.test_fraction, why)


def _check_class_sizes(target: pd.Series, name: str, test_fraction: float, why: str) -> None:
    counts = target.value_counts()
    # 1 / f members give a class one participant in a part that takes the fraction f.
    needed = int(np.ceil(1 / min(test_fraction, 1 - test_fraction)))
    if counts.min() < needed:
        raise UserError(
            f"Phenotype '{name}': class '{counts.idxmin()}' has {counts.min()} participants with a "
            f"usable scan, but at least {needed} are needed to have one in every test part "
            f"(splits.test_fraction: {test_fraction:g}).{why} Merge classes or remove the "
            "phenotype."
        )
