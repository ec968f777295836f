from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from semantoks.errors import UserError
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.paper import score_windows
from semantoks.scores.probe.problem import PlacedProblem
from semantoks.scores.probe.score import Representation, score
from tests.unit.scores.conftest import QUICK, problem_of

PAPER = QUICK.model_copy(update={"protocol": "paper"})
ROWS = np.random.default_rng(0).standard_normal((60, 4))


def no_windows(placed: PlacedProblem) -> Sequence[np.ndarray]:
    raise AssertionError("windows are not needed")


def test_the_protocol_of_the_settings_is_used() -> None:
    problem = problem_of(["a", "b"] * 30)
    placed = PlacedProblem(problem, np.arange(60))
    (exact,) = score([placed], Representation("x", [Features(ROWS)], no_windows), QUICK)
    expected = score_features(problem, [Features(ROWS)], QUICK)
    pd.testing.assert_frame_equal(exact.scores, expected.scores)
    windows = [np.empty((1, 0))] * 60
    (paper,) = score([placed], Representation("x", [Features(ROWS)], lambda _: windows), PAPER)
    expected = score_windows(problem, windows, PAPER)
    pd.testing.assert_frame_equal(paper.scores, expected.scores)


@pytest.mark.parametrize(
    ("features", "has_confounds"),
    [
        ([Features(ROWS), Features(ROWS)], False),
        ([Features(ROWS, "tangent")], False),
        ([Features(ROWS)], True),
    ],
)
def test_the_protocol_of_the_paper_has_its_limits(
    features: list[Features], has_confounds: bool
) -> None:
    representation = Representation("fc+model", features, no_windows, has_confounds)
    with pytest.raises(UserError, match="so it cannot score fc\\+model"):
        problem = PlacedProblem(problem_of(["a", "b"] * 30), np.arange(60))
        score([problem], representation, PAPER)
