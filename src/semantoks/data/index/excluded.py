"""Scans that somebody has looked at and wants left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from semantoks.config.suggestions import near
from semantoks.errors import UserError, shown
from semantoks.people.ids import BY_HAND
from semantoks.people.read import read_text_table

SCAN, PERSON, REASON = "scan", "participant_id", "reason"


def excluded_scans(file: Path, scans: pd.DataFrame) -> pd.DataFrame:
    """Read the scans that a table excludes.

    Parameters
    ----------
    file : Path
        With a column ``scan``, or ``participant_id`` for all scans of a person, and perhaps
        ``reason``; or a scan per line without a header.
    scans : DataFrame
        Of the data set, with ``scan`` and ``participant_id``.

    Returns
    -------
    DataFrame
        ``scan`` and ``reason``, in the order of `scans`.

    Raises
    ------
    UserError
        When the table names what is not in the data set: left in, it would be used.
    """
    columns = read_text_table(file, id_column=SCAN).columns
    key = next((name for name in (SCAN, PERSON) if name in columns), None)
    if key is None and len(columns) == 1:
        ((header, cells),) = columns.items()
        key, columns = SCAN, {SCAN: [header, *cells]}
    if key is None:
        raise UserError(
            f"{file} needs a column {SCAN} or {PERSON} with what is excluded, or one scan per line "
            f"(columns: {', '.join(columns) or 'none'})."
        )
    names = columns[key]
    reasons = columns.get(REASON, [None] * len(names))
    listed = {
        name: f"{BY_HAND}: {reason}" if reason else BY_HAND
        for name, reason in zip(names, reasons, strict=True)
        if name is not None
    }
    _require_known(file, list(listed), scans[key].tolist())
    rows = scans[scans[key].isin(set(listed))]
    return pd.DataFrame({SCAN: rows[SCAN], REASON: [listed[name] for name in rows[key]]})


def _require_known(file: Path, names: Sequence[str], known: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        meant = near(unknown[0], known)
        advice = "Write names as the pages of scans have them, or remove them."
        if meant:
            advice = f"Did you mean {' or '.join(meant)}?"
        raise UserError(
            f"{file} excludes '{shown(unknown[0])}', which is not in the data set ({len(unknown)} "
            f"of {len(names)} names are not). {advice}"
        )
