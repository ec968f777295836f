"""Confidence intervals over repeated splits, paired differences, and multiple comparisons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special  # `scipy.stats` takes a second to import


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for multiple comparisons by Holm's step-down method.

    Source: Holm 1979, Scandinavian Journal of Statistics 6(2).

    Parameters
    ----------
    p_values : sequence of float
        NaN is a comparison that was not made: it stays NaN and is not counted.
    """
    p = np.asarray(p_values, float)
    order = [int(i) for i in np.argsort(p, kind="stable") if not np.isnan(p[i])]
    adjusted, highest = np.full(len(p), np.nan), 0.0
    for rank, index in enumerate(order):
        # The running maximum keeps adjusted p-values in the order of the raw ones.
        highest = max(highest, min(1.0, (len(order) - rank) * float(p[index])))
        adjusted[index] = highest
    return [float(value) for value in adjusted]


def corrected_error(values: np.ndarray, test_to_train: float) -> float:
    """Estimate the standard error of a mean over repeated random splits.

    Splits share participants, so their scores are correlated and the usual standard error is too
    small. The variance is multiplied by 1 / splits + `test_to_train` instead of 1 / splits.
    Source: Nadeau & Bengio 2003, doi:10.1023/A:1024068626366.

    Parameters
    ----------
    values : ndarray, shape (splits,)
    test_to_train : float
        Number of test participants divided by that of training participants.

    Returns
    -------
    float
        NaN with fewer than two splits.
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
    """Summarise the scores of repeated splits.

    Parameters
    ----------
    values : sequence of float, shape (splits,)
        NaN are left out.
    test_to_train : float
        See `corrected_error`.
    limits : tuple of float
        Range of the metric, to which the interval is clipped.

    Returns
    -------
    dict
        ``mean``, ``sd`` over splits, and ``low`` and ``high`` of the corrected 95 % interval.
    """
    scores = np.asarray(values, float)
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return dict.fromkeys(("mean", "sd", "low", "high"), float("nan"))
    error = corrected_error(scores, test_to_train)
    # With a single score the error is NaN, and so is the interval; t needs one degree of freedom.
    margin = error * float(special.stdtrit(max(len(scores) - 1, 1), 0.975))
    mean = float(scores.mean())
    deviation = float(scores.std(ddof=1)) if len(scores) > 1 else float("nan")
    low, high = np.clip([mean - margin, mean + margin], *limits).tolist()
    return {"mean": mean, "sd": deviation, "low": low, "high": high}


def paired_difference(
    first: Sequence[float], second: Sequence[float], test_to_train: float
) -> dict[str, float]:
    """Compare two representations on the same splits by the corrected paired t-test.

    Parameters
    ----------
    first, second : sequence of float, shape (splits,)
        Scores of both on the same splits; those where either is NaN are left out.
    test_to_train : float
        See `corrected_error`.

    Returns
    -------
    dict
        ``mean`` (first − second), ``low``, ``high`` (95 %) and two-sided ``p``.
    """
    difference = np.asarray(first, float) - np.asarray(second, float)
    difference = difference[np.isfinite(difference)]
    result = summary(difference.tolist(), test_to_train)
    error = corrected_error(difference, test_to_train)
    unknown = float("nan")
    if error <= 1e-12 * abs(result["mean"]) and result["mean"] != 0:
        # The same difference on every split: without spread there is no inference.
        return {"mean": result["mean"], "low": unknown, "high": unknown, "p": unknown}
    if not error > 0:  # a single split (NaN), or no difference on any split
        p = unknown if np.isnan(error) else 1.0
    else:
        p = float(2 * special.stdtr(len(difference) - 1, -abs(result["mean"]) / error))
    return {key: result[key] for key in ("mean", "low", "high")} | {"p": p}
