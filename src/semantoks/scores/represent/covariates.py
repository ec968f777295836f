"""What is known of a scan without looking at the brain: age, sex, site, head motion, length."""

from __future__ import annotations

import numpy as np
import pandas as pd

WORDS = ("sex", "site")
NUMBERS = ("age", "mean_fd", "seconds", "repetition_time")
FEATURES = ("age", "mean_fd", "seconds", "sex", "site")


def known_confounds(
    scans: pd.DataFrame, participants: pd.DataFrame, site_column: str | None = None
) -> pd.DataFrame:
    """Gather confounds scan by scan, as far as they are known.

    Parameters
    ----------
    scans : DataFrame
        Included scans with ``participant_id`` and, where they are known, ``mean_fd`` (mm),
        ``seconds`` and ``repetition_time`` (s).
    participants : DataFrame
        One row per person. ``age`` or ``age_at_scan``, ``sex``, ``site`` or ``site_id`` are found
        whatever their case; ``mean_fd`` is taken from here where the scans do not have it.
    site_column : str, optional
        The column with the site, if it is called otherwise.

    Returns
    -------
    DataFrame
        In the order of `scans`; of `NUMBERS` and `WORDS` those that are known.
    """
    lower = {str(name).lower(): name for name in participants.columns}
    named = {name: lower.get(name) for name in ("age", "sex", "mean_fd")}
    named["age"] = named["age"] or lower.get("age_at_scan")
    named["site"] = site_column or lower.get("site") or lower.get("site_id")
    people = participants.set_index("participant_id").reindex(scans["participant_id"])
    table = pd.DataFrame(index=range(len(scans)))
    for name in (*NUMBERS, *WORDS):
        if name in scans and scans[name].notna().any():
            table[name] = scans[name].to_numpy()
        elif named.get(name) in people:
            table[name] = people[named[name]].to_numpy()
    for name in table.columns.intersection(NUMBERS):
        # "89+" is how ages are made anonymous.
        text = table[name].astype(str).str.rstrip("+")
        table[name] = pd.to_numeric(text, errors="coerce").astype(float)
    for name in table.columns.intersection(WORDS):  # a site may be coded as a number
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    return table


def confounds(
    scans: pd.DataFrame, participants: pd.DataFrame, site_column: str | None = None
) -> tuple[np.ndarray, list[str]]:
    """Confounds as features.

    Parameters
    ----------
    scans, participants, site_column
        As for `known_confounds`.

    Returns
    -------
    features_SF : ndarray, shape (scans, features)
    names : list of str
        A categorical one gives a feature per value, ``site=value``.
    """
    known = known_confounds(scans, participants, site_column)
    table = known[[name for name in FEATURES if name in known]]
    words = [name for name in WORDS if name in table]
    dummies = pd.get_dummies(table[words], prefix_sep="=", dtype=float) if words else table[[]]
    features = pd.concat([table.drop(columns=words), dummies], axis=1)
    return features.to_numpy(float), [str(name) for name in features.columns]
