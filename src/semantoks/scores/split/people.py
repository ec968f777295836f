"""Who takes part in a task, and what is to be predicted of them; who is left out, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semantoks.config import Condition, Kind, Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.draw import first_of_duplicates

CALIPER = 0.5  # standard deviations between two matched people


def class_name(value: object) -> str:
    """Write a value of a table as a class: 1.0 is "1"."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]


def targets(participants: pd.DataFrame, phenotype: str, task: Phenotype) -> pd.Series:
    """Known values of a phenotype, by participant.

    Returns
    -------
    Series
        Names of classes (str), or numbers (float) of a regression or of classes that are cut
        from a number.

    Raises
    ------
    UserError
        When there is no such column, or its values are not what the task wants.
    """
    column = task.column or phenotype
    if column not in participants:
        known = ", ".join(str(name) for name in participants.columns if name != "participant_id")
        raise UserError(f"The table of people has no column '{column}' to predict ({known}).")
    values = _by_person(participants, column).dropna()
    if task.kind == "regression" or task.bins:
        return _numbers(values, phenotype)
    classes = values.map(class_name)
    if task.values is None:
        return classes
    if not classes.isin(list(task.values)).any():
        found = ", ".join(sorted(classes.unique())[:5])
        raise UserError(
            f"Phenotype '{phenotype}': column {column} holds none of the values that the task "
            f"names ({', '.join(task.values)}), but {found}. Say what they mean in `values`."
        )
    return classes[classes.isin(list(task.values))].map(task.values)


def _by_person(participants: pd.DataFrame, column: str) -> pd.Series:
    values = participants[column].to_numpy()
    return pd.Series(values, pd.Index(participants["participant_id"], name="participant_id"))


def _numbers(values: pd.Series, phenotype: str) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = values[~np.isfinite(numbers)]
    if len(wrong):
        raise UserError(
            f"Phenotype '{phenotype}' is to be a number but holds '{wrong.iloc[0]}'. Make it "
            "numeric in the table of people, or call it a classification in the configuration."
        )
    return numbers


def included(participants: pd.DataFrame, conditions: dict[str, Condition]) -> pd.Series:
    """Say of each participant whether all conditions hold."""
    inside = pd.Series(True, participants["participant_id"])
    for column, condition in conditions.items():
        if column not in participants:
            raise UserError(
                f"The table of people has no column '{column}', by which `include` chooses."
            )
        values = _by_person(participants, column)
        inside &= values.notna()
        if condition.values is not None:
            inside &= values.map(class_name).isin(condition.values)
        # "89+" is how ages are made anonymous.
        numbers = pd.to_numeric(values.astype(str).str.rstrip("+"), errors="coerce")
        if condition.min is not None:
            inside &= numbers >= condition.min
        if condition.max is not None:
            inside &= numbers <= condition.max
    return inside


def choose(
    participants: pd.DataFrame, scans: pd.DataFrame, phenotype: str, task: Phenotype
) -> tuple[pd.Series, dict[str, int]]:
    """Values of everybody who takes part, and how many do not, by reason."""
    usable = set(scans.loc[scans["status"] == "ok", "participant_id"])
    known = targets(participants, phenotype, task)
    inside = included(participants, task.include)
    wanted = set(inside.index[inside])
    twice = first_of_duplicates(scans[scans["status"] == "ok"])
    there = known.index.isin(usable) & known.index.isin(wanted)
    left_out = {
        "people_without_value": len(usable - set(known.index)),
        "people_without_scan": len(set(known.index) - usable),
        "people_not_included": len((usable & set(known.index)) - wanted),
        "people_with_the_scan_of_another": int((there & known.index.isin(twice)).sum()),
    }
    return known[there & ~known.index.isin(twice)].sort_index(), left_out


def check_target(
    target: pd.Series, phenotype: str, kind: Kind, settings: Splitting, bins: int | None = None
) -> None:
    """Refuse what cannot be scored honestly.

    Raises
    ------
    UserError
        When nobody is left, there is only one value, or a class has too few people to be in every
        test part.
    """
    if target.empty:
        raise UserError(
            f"Phenotype '{phenotype}': nobody has both a value and a usable scan. Look whether the "
            "ids in the table of people are those of the scans, and at `include`."
        )
    if target.nunique() < 2:
        raise UserError(
            f"Phenotype '{phenotype}' has the same value in all {len(target)} people with a usable "
            "scan, so there is nothing to predict. Take it out of the configuration."
        )
    if kind == "classification" and not bins:
        counts = target.value_counts()
        needed = int(np.ceil(1 / min(settings.test_fraction, 1 - settings.test_fraction)))
        if counts.min() < needed:
            raise UserError(
                f"Phenotype '{phenotype}': class '{counts.idxmin()}' has {counts.min()} people "
                f"with a usable scan, at least {needed} are needed to test some of them in every "
                f"split (splits.test_fraction: {settings.test_fraction:g}). Merge classes or take "
                "the phenotype out."
            )


def match(
    target: pd.Series, participants: pd.DataFrame, columns: list[str], phenotype: str
) -> pd.Series:
    """Keep pairs of people of two classes that are alike, so that confounds cannot tell them apart.

    Each person of the smaller class gets the nearest one of the other that is still free (numbers
    in standard deviations, at most half of one apart; words must agree); who finds nobody is left
    out.
    """
    classes = target.value_counts()
    if len(classes) != 2:
        raise UserError(
            f"Phenotype '{phenotype}' has {len(classes)} classes; `splits.match` needs two."
        )
    absent = [column for column in columns if column not in participants]
    if absent:
        raise UserError(f"The table of people has no column '{absent[0]}' to match on.")
    table = participants.set_index("participant_id").loc[target.index, columns].dropna()
    numeric = [column for column in columns if pd.api.types.is_numeric_dtype(table[column])]
    numbers = ((table[numeric] - table[numeric].mean()) / table[numeric].std()).fillna(0)
    words = table.drop(columns=numeric).astype(str).agg("|".join, axis=1) if len(table) else table
    kept, free = list[str](), set(table.index[target[table.index] == classes.index[0]])
    for person in table.index[target[table.index] == classes.index[1]]:
        alike = sorted(other for other in free if words[other] == words[person])
        if not alike:
            continue
        distance = np.sqrt(((numbers.loc[alike] - numbers.loc[person]) ** 2).sum(axis=1))
        if distance.min() <= CALIPER:
            nearest = str(distance.idxmin())
            free.remove(nearest)
            kept += [person, nearest]
    if not kept:
        raise UserError(
            f"Phenotype '{phenotype}': nobody has somebody alike in the other class "
            f"({', '.join(columns)}). Match on fewer columns (splits.match)."
        )
    return target[target.index.isin(kept)]
