from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semantoks.errors import UserError
from semantoks.scores.probe.paper import LEARNING_RATES, score_windows
from tests.unit.scores.conftest import QUICK, mean_score, problem_of


@pytest.mark.slow
def test_windows_are_classified_reproducibly() -> None:
    rng = np.random.default_rng(7)
    ill = np.arange(90) % 2 == 0
    windows = [rng.standard_normal((8, 12)) + 0.8 * i for i in ill]
    problem = problem_of(np.where(ill, "ill", "well"))
    settings = QUICK.model_copy(update={"repeats": 2})
    result = score_windows(problem, windows, settings)
    assert mean_score(result.scores, "balanced_accuracy") > 0.9
    assert set(result.scores["strength"]) <= {3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4}
    assert set(result.scores["strength"]) <= set(LEARNING_RATES)
    again = score_windows(problem, windows, settings)
    pd.testing.assert_frame_equal(result.scores, again.scores)
    assert len(result.predictions) == 2 * 18
    windows[3][:] = np.nan
    scores = score_windows(problem, windows, settings).scores
    assert mean_score(scores, "balanced_accuracy") > 0.85


def test_without_features_every_class_is_equally_likely() -> None:
    result = score_windows(problem_of(["a", "b"] * 45), [np.empty((1, 0))] * 90, QUICK)
    assert mean_score(result.scores, "balanced_accuracy") == 0.5


def test_a_number_is_an_error() -> None:
    rng = np.random.default_rng(7)
    with pytest.raises(UserError, match="Bin it into classes with `bins`"):
        score_windows(problem_of(rng.standard_normal(90)), [np.empty((1, 0))] * 90, QUICK)
