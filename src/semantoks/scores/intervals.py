"""Intervals over repeated splits, paired differences, and p-values for many comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number (Holm 1979); NaN stays NaN and is not counted."""
    p = np.asarray(p_values, float)
    order = [int(i) for i in np.argsort(p, kind="stable") if p[i] == p[i]]
    adjusted, highest = np.full(len(p), np.nan), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * float(p[place])))
        adjusted[place] = highest
    return [float(value) for value in adjusted]


def corrected_error(values: np.ndarray, test_to_train: float) -> float:
    """Estimate the standard error of a mean over repeated random splits, which share people.

    Source: Nadeau & Bengio 2003, doi:10.1023/A:1024068626366.
    """
    repeats = len(values)
    if repeats < 2:
        return float("nan")
    return float(np.sqrt((1 / repeats + test_to_train) * np.var(values, ddof=1)))


def summary(
    values: Sequence[float],
    test_to_train: float,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> dict[str, float]:
    """Mean, standard deviation over repeats, and corrected 95 % interval within `limits`."""
    scores = np.asarray(values, float)
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return dict.fromkeys(("mean", "sd", "low", "high"), float("nan"))
    error = corrected_error(scores, test_to_train)
    margin = error * float(stats.t.ppf(0.975, max(len(scores) - 1, 1)))
    mean = float(scores.mean())
    deviation = float(scores.std(ddof=1)) if len(scores) > 1 else float("nan")
    low, high = np.clip([mean - margin, mean + margin], *limits).tolist()
    return {"mean": mean, "sd": deviation, "low": low, "high": high}


def paired_difference(
    first: Sequence[float], second: Sequence[float], test_to_train: float
) -> dict[str, float]:
    """Difference of two representations over the same splits, with a corrected two-sided p.

    Returns
    -------
    dict
        ``mean`` (first − second), ``low``, ``high`` (95 %) and ``p``.
    """
    difference = np.asarray(first, float) - np.asarray(second, float)
    result = summary(difference.tolist(), test_to_train)
    error = corrected_error(difference, test_to_train)
    if not error > 0:
        p = float("nan") if np.isnan(error) else float(result["mean"] == 0)
    else:
        p = float(2 * stats.t.sf(abs(result["mean"]) / error, len(difference) - 1))
    return {key: result[key] for key in ("mean", "low", "high")} | {"p": p}
