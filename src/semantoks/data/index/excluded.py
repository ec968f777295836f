"""Scans that somebody has looked at and wants left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        ``reason``; or a scan per line without a header. With both columns, a row is of its scan
        and, where it names none, of its person.
    scans : DataFrame
        Of the data set, with ``scan`` and ``participant_id``.

    Returns
    -------
    DataFrame
        ``scan`` and ``reason``, in the order of `scans`.

    Raises
    ------
    UserError
        When a row names nothing, or what is not in the data set: left in, it would be used.
    """
    columns = read_text_table(file, id_column=SCAN).columns
    if len(columns) == 1 and not {SCAN, PERSON} & columns.keys():
        ((header, cells),) = columns.items()
        columns = {SCAN: [header, *cells]}
    keys = [key for key in (SCAN, PERSON) if key in columns]
    if not keys:
        raise UserError(
            f"{file} needs a column {SCAN} or {PERSON} with what is excluded, or one scan per line "
            f"(columns: {', '.join(columns) or 'none'})."
        )
    listed = _listed(file, columns, keys)
    for key, reason_of in listed.items():
        _require_known(file, list(reason_of), scans[key].tolist())
    of_scans, of_people = (scans[key].map(reason_of) for key, reason_of in listed.items())
    reasons = of_scans.astype(object).where(of_scans.notna(), of_people)
    return pd.DataFrame({SCAN: scans[SCAN], REASON: reasons}).dropna(subset=REASON)


def _listed(
    file: Path, columns: Mapping[str, Sequence[str | None]], keys: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return the reasons of scans and those of people, by name.

    Raises
    ------
    UserError
        When a row names neither.
    """
    listed: dict[str, dict[str, str]] = {SCAN: {}, PERSON: {}}
    rows = list(zip(*(columns[key] for key in keys), strict=True))
    reasons = columns.get(REASON, [None] * len(rows))
    nameless = rows.count((None,) * len(keys))
    if nameless:
        raise UserError(
            f"{file} has {nameless} of {len(rows)} rows with nothing under {' or '.join(keys)}. "
            "Write there what is excluded, or remove these rows."
        )
    for names, reason in zip(rows, reasons, strict=True):
        key, name = next((k, n) for k, n in zip(keys, names, strict=True) if n is not None)
        listed[key][name] = f"{BY_HAND}: {reason}" if reason else BY_HAND
    return listed


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
