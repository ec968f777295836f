"""Fit scores by the logarithm of the number of pretraining people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semantoks.report.scaling_curve.contents import Gain, ScalingCurve, ScalingPoint
from semantoks.scores.intervals import paired_difference, summary

EXTRAPOLATED = 10  # times the people of the whole model
PLACES = 25  # of the fit
ROUNDING = 1e-12


def scaling_curve(
    people_N: Sequence[float],
    score_SN: np.ndarray,
    test_to_train: float,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> ScalingCurve:
    """Fit a line over log10(people) to the scores of each split, and summarise over splits.

    The interval of the fit is that of its values over splits: it widens beyond the data as the
    slopes of the splits differ. It knows nothing of other draws of people or other seeds of the
    pretraining, of which there is one per number, nor of whether the line goes on.

    Parameters
    ----------
    people_N : sequence of float
        Numbers of people in ascending order.
    score_SN : ndarray, shape (splits, numbers)
        Splits where a score is not known are left out.
    test_to_train : float
        See `corrected_error`.
    limits : tuple of float
        Range of the metric, to which the fit and intervals are clipped.
    """
    score_SN = score_SN[np.isfinite(score_SN).all(axis=1)]
    log_N = np.log10(people_N)
    # Centred, so that the two coefficients can be solved for one by one.
    centred_N = log_N - log_N.mean()
    slope_S = score_SN @ centred_N / (centred_N @ centred_N)
    slope_S[np.abs(slope_S) < ROUNDING] = 0  # equal scores have no slope, and no p-value of it
    mean_S = score_SN.mean(axis=1)
    places = np.linspace(log_N[0], log_N[-1] + np.log10(EXTRAPOLATED), PLACES)
    places = np.union1d(places, log_N)

    def point(log_people: float, values_S: np.ndarray) -> ScalingPoint:
        values = summary(values_S.tolist(), test_to_train, limits)
        ends = {key: values[key] for key in ("mean", "low", "high")}
        # A line leaves the range of a metric, but no score does.
        ends["mean"] = float(np.clip(ends["mean"], *limits))
        return ScalingPoint(people=float(10**log_people), **ends)

    fitted_SN = mean_S[:, None] + slope_S[:, None] * centred_N
    return ScalingCurve(
        points=[point(x, score_SN[:, n]) for n, x in enumerate(log_N)],
        splits=len(score_SN),
        gain=Gain(**paired_difference(slope_S.tolist(), [0.0] * len(slope_S), test_to_train)),
        misfit=float(np.sqrt(np.mean((score_SN - fitted_SN).mean(axis=0) ** 2))),
        fitted=[point(x, mean_S + slope_S * (x - log_N.mean())) for x in places],
    )
