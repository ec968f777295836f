"""Look-ups in the tables of participants and scans that several stages need."""

from __future__ import annotations

import pandas as pd

from semantoks.errors import UserError


def column_by_participant(participants: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of the participants table, indexed by ``participant_id``."""
    index = pd.Index(participants["participant_id"], name="participant_id")
    return pd.Series(participants[column].to_numpy(), index)


def text_column(
    participants: pd.DataFrame, column: str | None, participant_ids: pd.Index
) -> pd.Series:
    """Return a column of the participants table as text, for the given participants.

    Parameters
    ----------
    participants : DataFrame
    column : str or None
        With None, every value is missing.
    participant_ids : Index

    Returns
    -------
    Series of object
        str, or None where the value is missing.

    Raises
    ------
    UserError
        If the table has no such column.
    """
    if column is None:
        return pd.Series(None, participant_ids, dtype="object")
    if column not in participants:
        raise UserError(
            f"The participants table has no column '{column}'. Correct site_column or "
            "group_column in the configuration."
        )
    values = pd.Series(participants[column].to_numpy(), participants["participant_id"])
    values = values.reindex(participant_ids)
    return values.astype("string").astype("object").where(values.notna(), None)


def parse_numbers(values: pd.Series) -> pd.Series:
    """Convert to float; NaN where a value is not a number.

    Anonymised tables top-code high ages: "89+" is read as 89.
    """
    text = values.astype(str).str.rstrip("+")
    return pd.to_numeric(text, errors="coerce").astype(float)


def participants_with_duplicate_scans(scans: pd.DataFrame) -> set[str]:
    """Find participants who share a bit-identical scan with an earlier one.

    Of all participants with the same ``fingerprint``, the first in alphabetical order is not
    returned, so that leaving out the result keeps one of them.
    """
    if "fingerprint" not in scans:
        return set()
    # The table may be in any order, and the same participant must be kept in every stage.
    ordered = scans.sort_values(["fingerprint", "participant_id"])
    first = ordered.groupby("fingerprint")["participant_id"].transform("first")
    return set(ordered.loc[ordered["participant_id"] != first, "participant_id"])
