"""Which participants take part in the prediction of a phenotype."""

from __future__ import annotations

import pandas as pd

from semantoks.artifacts.timeseries import included_scans
from semantoks.config import Condition, Phenotype
from semantoks.errors import UserError
from semantoks.people.checks import require_every_spelling
from semantoks.people.columns import find_column, listed
from semantoks.scores.participants import (
    as_texts,
    column_by_participant,
    participants_with_duplicate_scans,
    require_numbers,
    scored_scans,
)
from semantoks.scores.split.targets import require_known, targets


def meets_conditions(participants: pd.DataFrame, conditions: dict[str, Condition]) -> pd.Series:
    """Check the conditions of `Phenotype.include`.

    Parameters
    ----------
    participants : DataFrame
    conditions : dict of str to Condition
        By name. A participant without a value does not meet the condition.

    Returns
    -------
    Series of bool
        Indexed by participant; True where all conditions hold.

    Raises
    ------
    UserError
        If a column does not exist, its values are written in another way, or a limit is set to
        what is not a number.
    """
    included = pd.Series(True, participants["participant_id"])
    for name, condition in conditions.items():
        column = find_column(condition.columns_of(name), participants.columns)
        if column is None:
            raise UserError(
                f"The participants table has no column {listed(condition.columns_of(name))}, which "
                "`include` names."
            )
        values = column_by_participant(participants, column)
        included &= values.notna()
        if condition.values is not None:
            texts = as_texts(values)
            require_known(condition.values, texts.dropna(), f"`include.{name}`")
            require_every_spelling(condition.values, texts.dropna(), f"`include.{name}`")
            included &= texts.isin(condition.values)
        if condition.has_no_limits:
            continue
        numbers = require_numbers(values, f"`include.{name}`: the column")
        if condition.min is not None:
            # Comparisons with NaN are false, so what is not a number meets no limit.
            included &= numbers >= condition.min
        if condition.max is not None:
            included &= numbers <= condition.max
    return included


def eligible_targets(
    participants: pd.DataFrame, scans: pd.DataFrame, name: str, phenotype: Phenotype
) -> tuple[pd.Series, dict[str, int]]:
    """Select the participants with a usable scan, a known value, and all conditions met.

    If people are held out of pretraining, only they are selected. Of several participants with the
    same scan, the first is selected.

    Parameters
    ----------
    participants : DataFrame
    scans : DataFrame
        Included and excluded scans.
    name : str
        Name of the phenotype.
    phenotype : Phenotype

    Returns
    -------
    target : Series
        Values, indexed by participant and sorted.
    left_out : dict of str to int
        Number of participants that are left out, by reason.
    """
    everybody = set(included_scans(scans)["participant_id"])
    # Of two people with the same scan, the one who is held out is scored.
    usable_scans = scored_scans(scans)
    scanned = set(usable_scans["participant_id"])
    target = targets(participants, name, phenotype)
    meets = meets_conditions(participants, phenotype.include)
    included = set(meets.index[meets])
    eligible = target.index.isin(scanned) & target.index.isin(included)
    # The same scan under two ids could be in training and in test.
    duplicate = target.index.isin(participants_with_duplicate_scans(usable_scans))
    left_out = {
        "people_without_value": len(scanned - set(target.index)),
        "people_without_scan": len(set(target.index) - everybody),
        "people_not_held_out": len(everybody - scanned),
        "people_not_included": len((scanned & set(target.index)) - included),
        "people_with_the_scan_of_another": int((eligible & duplicate).sum()),
    }
    return target[eligible & ~duplicate].sort_index(), left_out
