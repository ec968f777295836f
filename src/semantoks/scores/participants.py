"""Look-ups in the tables of participants and scans that several stages need."""

from __future__ import annotations

import logging

import pandas as pd

from semantoks.artifacts.timeseries import HELD_OUT, included_scans
from semantoks.config import PERSON, ColumnNames
from semantoks.errors import UserError
from semantoks.people.checks import require_clean
from semantoks.people.columns import find_column, listed

# Why participants take no part in the scores of a phenotype; the keys are in the split tables.
LEFT_OUT = {
    "people_without_value": "no value",
    "people_without_scan": "no usable scan",
    "people_not_held_out": "not held out from pretraining",
    "people_not_included": "not included by the phenotype’s conditions",
    "people_with_the_scan_of_another": "same recording as another participant",
    "people_without_a_match": "no match in the other class",
    "ids_of_the_splits_file": "in the splits_file, but without a scan and a value here",
    "people_in_no_split": "in no split of the splits_file",
    "people_not_in_the_main_analysis": "not in the main analysis, whose splits a variant takes",
}

log = logging.getLogger(__name__)


def column_by_participant(participants: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of the participants table, indexed by ``participant_id``."""
    index = pd.Index(participants["participant_id"], name="participant_id")
    return pd.Series(participants[column].to_numpy(), index)


def text_column(
    participants: pd.DataFrame, names: ColumnNames | None, participant_ids: pd.Index
) -> pd.Series:
    """Return a column of the participants table as text, for the given participants.

    Parameters
    ----------
    participants : DataFrame
    names : str, list of str or None
        Of the column; the first that the table has. With None, every value is missing.
    participant_ids : Index

    Returns
    -------
    Series of object
        str, or None where the value is missing.

    Raises
    ------
    UserError
        If the table has no such column, or writes a value in two ways or a missing one as a code.
    """
    if names is None:
        return pd.Series(None, participant_ids, dtype="object")
    column = find_column(names, participants.columns)
    if column is None:
        raise UserError(
            f"The participants table has no column {listed(names)}. Correct site_column or "
            "group_column in the configuration."
        )
    values = pd.Series(participants[column].to_numpy(), participants["participant_id"])
    texts = as_texts(values.reindex(participant_ids))
    if column == PERSON:  # ids of people, in which 999 is no code
        return texts
    require_clean(texts, f"Column '{column}' of the participants table", is_measure=False)
    return texts


def class_name(value: object) -> str:
    """Return a value of a table as the name of a class.

    pandas reads integers as floats where a value is missing, so 1.0 becomes "1".
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_texts(values: pd.Series) -> pd.Series:
    """Write values as `class_name` does; None where a value is missing."""
    texts = [
        None if missing else class_name(value)
        for value, missing in zip(values, values.isna(), strict=True)
    ]
    return pd.Series(texts, values.index, dtype="object")


def require_numbers(values: pd.Series, what: str) -> pd.Series:
    """Convert to float, as `parse_numbers` does, where a value that is not a number is an error.

    Raises
    ------
    UserError
    """
    numbers = parse_numbers(values)
    odd = values[values.notna() & numbers.isna()]
    if len(odd):
        raise UserError(
            f"{what} must be numeric, but holds '{odd.iloc[0]}' ({len(odd)} of {len(values)} "
            f"rows). If that means missing, list '{odd.iloc[0]}' in `missing_values` of the data "
            "set; else correct the participants table."
        )
    return numbers


def parse_numbers(values: pd.Series) -> pd.Series:
    """Convert to float; NaN where a value is not a number.

    Anonymised tables top-code high ages: "89+" is read as 89.
    """
    text = values.astype(str).str.rstrip("+")
    return pd.to_numeric(text, errors="coerce").astype(float)


def by_person(scans: pd.DataFrame) -> pd.DataFrame:
    """Write the person of each block as its ``participant_id``; other scans as they are."""
    if PERSON not in scans:
        return scans
    return scans.assign(participant_id=scans[PERSON].fillna(scans["participant_id"]))


def held_out_people(scans: pd.DataFrame) -> set[str] | None:
    """Return those who are held out of pretraining; None if nobody is, and all may be scored.

    Excluded scans count, too: if those of all held-out people are, nobody else takes their place.

    Parameters
    ----------
    scans : DataFrame
        Included and excluded scans.
    """
    if HELD_OUT not in scans or not scans[HELD_OUT].any():
        return None
    return set(scans.loc[scans[HELD_OUT], "participant_id"])


def scored_scans(scans: pd.DataFrame) -> pd.DataFrame:
    """Select the included scans of those who may be scored: held-out people, if there are any."""
    usable, people = included_scans(scans), held_out_people(scans)
    return usable if people is None else usable[usable["participant_id"].isin(people)]


def participants_with_duplicate_scans(scans: pd.DataFrame) -> set[str]:
    """Find participants who have the same recording as an earlier participant, and name them.

    Of all participants with the same ``recording``, the first in alphabetical order is not
    returned, so that leaving out the result keeps one of them.

    Parameters
    ----------
    scans : DataFrame
        Included scans: ``participant_id`` and ``recording``, which the stage `scans` finds.
    """
    # The table may be in any order, and the same participant must be kept in every stage.
    ordered = scans.sort_values(["recording", "participant_id"])
    first = ordered.groupby("recording")["participant_id"].transform("first")
    copies = ordered["participant_id"] != first
    for copy, original in zip(ordered.loc[copies, "participant_id"], first[copies], strict=True):
        log.warning(
            "%s is left out: a scan is the same recording as one of %s. Correct the ids if they "
            "are one person, or remove the copy.",
            copy,
            original,
        )
    return set(ordered.loc[copies, "participant_id"])
