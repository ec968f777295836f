"""Curves of the score against the length of scans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from semantoks.errors import UserError
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.comparison import Comparison
from tests.unit.scores.benchmark.conftest import REGRESSION_TASK, scores_of

SCORES = [
    scores_of("fc", [0.6, 0.8]),
    scores_of("fc@60s", [0.5, 0.6]),
    scores_of("fc@120s", [0.6, 0.6]),
    scores_of("chance", [0.5, 0.5], features=0),
]


def test_first_seconds_are_points_of_a_curve_and_no_rows() -> None:
    comparison = compare(SCORES, "toy", scan_seconds=300)
    rows = [row.representation for row in comparison.schemes[0].representations]
    assert rows == ["fc", "chance"]
    (curve,) = comparison.durations.values()
    assert [(point.minutes, point.splits) for point in curve] == [(1, 2), (2, 2), (5, 2)]
    assert [point.mean for point in curve] == pytest.approx([0.55, 0.6, 0.7])
    assert [point.sd for point in curve] == pytest.approx(np.sqrt([0.005, 0, 0.02]))
    assert Comparison.model_validate(comparison.model_dump()) == comparison


def test_other_comparisons_are_stored_as_before() -> None:
    assert "durations" not in compare([SCORES[0]], "toy").model_dump()


def test_all_points_are_over_the_same_splits() -> None:
    values = {"fc": [0.1, 0.2, 0.6], "fc@60s": [np.nan, 0.1, 0.3], "m": [0, 0.2, 0.4]}
    values |= {"m@60s": [np.nan] * 3}  # constant predictions correlate with nothing
    scores = [scores_of(name, row, task=REGRESSION_TASK) for name, row in values.items()]
    curves = compare(scores, "toy", scan_seconds=300).durations
    assert [(p.minutes, p.splits) for p in curves["fc"]] == [(1, 2), (5, 2)]
    assert [p.mean for p in curves["fc"]] == pytest.approx([0.2, 0.4])
    assert [p.splits for p in curves["m"]] == [0, 2] and np.isnan(curves["m"][0].mean)


def test_parts_as_long_as_most_scans_are_no_points() -> None:
    curves = compare(SCORES, "toy", scan_seconds=90).durations
    assert [point.minutes for point in curves["fc"]] == [1, 1.5]


def test_other_splits_or_unknown_lengths_are_refused() -> None:
    with pytest.raises(UserError, match="Name the table of scans as --scans"):
        compare(SCORES, "toy")
    other = scores_of("fc@60s", [0.5])
    with pytest.raises(UserError, match="whole scans were scored on different splits"):
        compare([SCORES[0], other], "toy", scan_seconds=300)


def test_sites_that_are_left_out_have_no_curve() -> None:
    fc = scores_of("fc", [0.6, 0.8])
    sites = scores_of("fc", [0.1], "site").rows
    both = pd.concat([fc.rows, sites], ignore_index=True)
    comparison = compare([replace(fc, rows=both), SCORES[1]], "toy", scan_seconds=300)
    assert [scheme.scheme for scheme in comparison.schemes] == ["random", "site"]
    assert [point.splits for point in comparison.durations["fc"]] == [2, 2]
