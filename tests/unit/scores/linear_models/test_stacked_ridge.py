from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.axes import rotate
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from semantoks.scores.linear_models.stacked_ridge import stacked_ridge

STRENGTHS = np.array([10.0, 1.0, 0.1, 0.01])


def test_each_target_is_fitted_as_if_it_were_alone() -> None:
    rng = np.random.default_rng(0)
    target = rng.standard_normal((43, 6)) + 5
    noise = np.geomspace(0.1, 30, 6)[:, None] * [0.5, 2.0, 30.0]
    train = target[:, :, None] + noise * rng.standard_normal((43, 6, 3))
    held = rng.standard_normal((9, 6, 3))
    train[:, 2, 1] = 7.0  # a constant prediction
    fold = np.arange(43) % 5
    predicted, inner = stacked_ridge(train, held, target, STRENGTHS, fold)
    chosen = []
    for column in range(6):
        coordinates = rotate(train[:, column], held[:, column])
        values = target[:, [column]]
        of_strengths = ridge_over_folds(coordinates, values, STRENGTHS, fold)
        best = int(((of_strengths - values) ** 2).sum(axis=(1, 2)).argmin())
        chosen.append(best)
        np.testing.assert_allclose(inner[:, column], of_strengths[best, :, 0])
        expected = ridge(coordinates, values, STRENGTHS[[best]])
        np.testing.assert_allclose(predicted[:, [column]], expected)
    assert len(set(chosen)) > 1
