"""Fits of scores by the logarithm of people, with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.report.scaling_curve.fit import EXTRAPOLATED, scaling_curve
from semantoks.scores.intervals import summary

PEOPLE = (30, 100, 300, 1000)


def test_a_line_is_found_again() -> None:
    """Each split has a level and a slope of its own; their means are 0.6 and 0.05."""
    rng = np.random.default_rng(0)
    level_S, slope_S = 0.6 + 0.02 * rng.standard_normal(10), 0.05 + 0.01 * rng.standard_normal(10)
    level_S += 0.6 - level_S.mean()
    slope_S += 0.05 - slope_S.mean()
    score_SN = level_S[:, None] + slope_S[:, None] * np.log10(np.array(PEOPLE) / 1000)
    curve = scaling_curve(PEOPLE, score_SN, 0.25)
    assert curve.gain.mean == pytest.approx(0.05) and curve.gain.low > 0 and curve.gain.p < 0.001
    assert curve.misfit == pytest.approx(0, abs=1e-12)
    last = curve.fitted[-1]
    assert last.people == pytest.approx(1000 * EXTRAPOLATED)
    expected = summary((level_S + slope_S).tolist(), 0.25)  # a factor of ten above 1000
    assert (last.mean, last.low, last.high) == pytest.approx(
        (0.65, expected["low"], expected["high"])
    )
    # Measured points are those of the scores, and lie on the line.
    assert [p.people for p in curve.points] == pytest.approx(PEOPLE)
    at = {round(p.people): p.mean for p in curve.fitted}
    assert [at[n] for n in PEOPLE] == pytest.approx([p.mean for p in curve.points])


def test_the_band_widens_where_slopes_differ() -> None:
    rng = np.random.default_rng(1)
    score_SN = 0.7 + 0.03 * rng.standard_normal((8, 4))
    curve = scaling_curve(PEOPLE, score_SN, 0.25, (0.0, 1.0))
    widths = [point.high - point.low for point in curve.fitted]
    assert np.argmin(widths) < len(widths) / 2 and widths[-1] == max(widths)
    # Scores that do not depend on people: no gain.
    assert curve.gain.low < 0 < curve.gain.high and curve.misfit > 0
    assert all(point.low >= 0 and point.high <= 1 for point in curve.fitted)


def test_splits_without_a_score_are_left_out() -> None:
    score_SN = np.tile([0.5, 0.6, 0.7, 0.8], (4, 1))
    score_SN[0, 2] = np.nan
    assert scaling_curve(PEOPLE, score_SN, 0.25).splits == 3


def test_equal_scores_and_the_range_of_a_metric() -> None:
    equal = scaling_curve(PEOPLE, np.tile([[0.4], [0.375]], (1, 4)), 0.25)
    assert (equal.gain.mean, equal.gain.p) == (0, 1)
    steep = scaling_curve(PEOPLE, np.tile([0.4, 0.6, 0.8, 0.98], (3, 1)), 0.25, (0.0, 1.0))
    assert steep.fitted[-1].mean == 1
