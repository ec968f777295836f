"""People who are only in the scans or only in the table of participants."""

from __future__ import annotations

import logging

import pandas as pd

from semantoks.people.ids import NO_ROW

log = logging.getLogger(__name__)
ID = "participant_id"


def exclude_unlisted(scans: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Give the scans of people who are not in the table of participants a problem.

    The table says who takes part in a study: people who withdrew, or were left out of it on
    purpose, must not be seen by a model either.

    Parameters
    ----------
    scans : DataFrame
        With ``problem``. Another problem stays: of a name that is no text, it says why the person
        is not recognised.
    participants : DataFrame
        With ids as in the scans.
    """
    is_unlisted = ~scans[ID].isin(set(participants[ID]))
    if is_unlisted.any():
        log.warning(
            "%d scan(s) of %d participant(s) are excluded, also from pretraining: %s. Add rows for "
            "those who should be used.",
            is_unlisted.sum(),
            scans.loc[is_unlisted, ID].nunique(),
            NO_ROW,
        )
    is_usable = scans["problem"] == ""
    return scans.assign(problem=scans["problem"].mask(is_unlisted & is_usable, NO_ROW))


def without_scan(scans: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """List the people of the table who have no scan.

    Those who have scans and no row are not listed: their scans are among the excluded ones.

    Returns
    -------
    DataFrame
        ``participant_id`` and ``reason``, sorted.
    """
    names = sorted(set(participants[ID]) - set(scans[ID]))
    if names:
        log.warning("%d participant(s) left out: no scan", len(names))
    return pd.DataFrame({ID: names, "reason": ["no scan"] * len(names)})
