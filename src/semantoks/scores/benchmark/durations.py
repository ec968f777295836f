"""Curves of the score against the length of scans."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantoks.config import split_row
from semantoks.errors import UserError
from semantoks.scores.benchmark.comparison import DurationPoint
from semantoks.scores.benchmark.probe_scores import ProbeScores


def duration_curves(
    scores: Sequence[ProbeScores], metric: str, scan_seconds: float | None
) -> dict[str, list[DurationPoint]]:
    """Average a metric over splits, by the length of the scans that a representation is made of.

    Parameters
    ----------
    scores : sequence of ProbeScores
        Of whole scans and of their first seconds (``fc`` and ``fc@60s``).
    metric : str
    scan_seconds : float or None
        Median length of whole scans, the place of the last point.

    Returns
    -------
    dict of str to list of DurationPoint
        By representation; empty if there are no scores of first seconds. All points are over the
        same random or fixed splits: those in which every row has a score.

    Raises
    ------
    UserError
        When the splits differ, or the length of scans is not known.
    """
    by_row = {probe.representation: probe for probe in scores}
    parts: dict[str, list[tuple[float, str]]] = {}
    for row in by_row:
        name, seconds = split_row(row)
        # A part as long as most scans is no part of them.
        if seconds is not None and seconds < (scan_seconds or np.inf):
            parts.setdefault(name, []).append((seconds, row))
    if not parts:
        return {}
    if scan_seconds is None:
        raise UserError(
            "Scores of the first seconds of scans are compared with those of whole scans, whose "
            "length is not known. Name the table of scans as --scans."
        )
    curves = {name: [*sorted(rows), (scan_seconds, name)] for name, rows in parts.items()}
    values = _by_split([by_row[row] for curve in curves.values() for _, row in curve], metric)
    return {
        name: [_point(values[row], seconds) for seconds, row in curve]
        for name, curve in curves.items()
    }


def _by_split(scores: Sequence[ProbeScores], metric: str) -> pd.DataFrame:
    """Gather a metric of several rows, by split and row, of the splits in which all have it."""
    scheme = next(s for s in scores[0].rows["scheme"] if s != "site")
    fits = [probe.complete_fits(scheme).set_index("split")[metric] for probe in scores]
    if any(not column.index.equals(fits[0].index) for column in fits):
        raise UserError(
            "The first seconds of scans and whole scans were scored on different splits. Run "
            "`probe` again for all."
        )
    values = pd.concat(fits, axis=1, keys=[probe.representation for probe in scores])
    # r of constant predictions is undefined; a row without any value must not take all splits.
    return values.loc[values.dropna(axis=1, how="all").dropna().index]


def _point(values: pd.Series, seconds: float) -> DurationPoint:
    return DurationPoint(
        minutes=seconds / 60,
        mean=float(values.mean()),
        sd=float(values.std()),
        splits=int(values.notna().sum()),
    )
