"""Whether decimals of scores tell how many participants were tested."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semantoks.report.privacy import rounded
from semantoks.report.steps import STEPS, decimals_of, in_steps, step_of, step_of_r_interval


@pytest.mark.parametrize("splits", [1, 2, 3, 10, 25])
@pytest.mark.parametrize("shown", [2, 5, 10, 20, 100])
def test_every_score_is_possible_for_every_number_that_is_rounded_alike(
    shown: int, splits: int
) -> None:
    step = step_of(shown, splits)
    for people in (n for n in range(1, 110) if rounded(n) == shown):
        assert step_of(people, splits) == step
        # Accuracies, and areas under the curve with one participant in the smaller class.
        for steps in {people, max(people - 1, 1)}:
            trials = steps * splits
            printed = {in_steps(hits / trials, step) for hits in range(trials + 1)}
            possible = {in_steps(value, step) for value in np.arange(0, 1 + step / 2, step)}
            if people > 2:  # of two, a single split has two steps, and the page says no more
                assert possible <= printed | {0.0, 1.0}


def test_one_of_seven_participants_is_not_told_from_one_of_five() -> None:
    assert in_steps(6 / 7, step_of(7)) == in_steps(4 / 5, step_of(5))


def test_scores_of_many_participants_keep_three_decimals() -> None:
    assert step_of(200, 10) == STEPS[0]
    assert in_steps(0.12345, STEPS[0]) == 0.123
    assert math.isnan(in_steps(math.nan, 0.1))


def test_the_interval_of_r_does_not_tell_the_number_of_permuted_participants() -> None:
    """Permuted r of n participants has a standard deviation of 1 / √(n - 1)."""
    for shown in (10, 25, 50, 100, 400):
        step = step_of_r_interval(shown)
        widths = [1.96 / math.sqrt(n - 1) for n in range(shown - 2, shown + 3)]
        assert len({in_steps(width, step) for width in widths}) <= 2
        assert max(widths) - min(widths) <= 2 * step
    assert step_of_r_interval(1000) == STEPS[0]


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [(0.15, 0.1, 0.2), (0.65, 0.1, 0.7), (-0.15, 0.1, -0.2), (0.14, 0.1, 0.1), (0.525, 0.05, 0.55)],
)
def test_halves_are_rounded_away_from_zero(value: float, step: float, expected: float) -> None:
    assert in_steps(value, step) == expected
    assert math.copysign(1, in_steps(-0.01, 0.1)) == 1


def test_multiples_of_a_step_have_as_many_decimals_as_it_needs() -> None:
    decimals = {step: decimals_of(step) for step in (0.5, 0.1, 0.05, 0.01, 0.005, 0.001)}
    assert decimals == {0.5: 1, 0.1: 1, 0.05: 2, 0.01: 2, 0.005: 3, 0.001: 3}
