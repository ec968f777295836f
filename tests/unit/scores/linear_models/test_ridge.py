"""Ridge regression against scikit-learn, on random problems."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

from semantoks.scores.linear_models.axes import rotate, standardise
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from tests.unit.scores.linear_models.conftest import SHAPES, STRENGTHS, random_problem


@pytest.mark.parametrize("shape", SHAPES)
def test_ridge_regression_matches_scikit_learn(shape: tuple[int, int, int]) -> None:
    train, held, codes, signal = random_problem(*shape)
    coordinates, (train_z, held_z) = rotate(train, held), standardise(train, held)
    both = np.c_[signal, codes]
    for strength in STRENGTHS:
        predicted = ridge(coordinates, both, np.full(2, strength))
        theirs = Ridge(alpha=strength * len(train), solver="svd").fit(train_z, both)
        np.testing.assert_allclose(predicted, theirs.predict(held_z), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_left_out_folds_match_fits_without_them(shape: tuple[int, int, int]) -> None:
    train, held, codes, signal = random_problem(*shape)
    coordinates, (train_z, _) = rotate(train, held), standardise(train, held)
    target, fold = np.c_[signal, codes], np.empty(len(train), int)
    for number, (_, inside) in enumerate(KFold(4, shuffle=True, random_state=0).split(train)):
        fold[inside] = number
    predicted = ridge_over_folds(coordinates, target, STRENGTHS, fold)
    for index, strength in enumerate(STRENGTHS):
        for number in range(4):
            theirs = Ridge(alpha=strength * len(train), solver="svd")
            theirs.fit(train_z[fold != number], target[fold != number])
            expected = theirs.predict(train_z[fold == number])
            np.testing.assert_allclose(predicted[index, fold == number], expected, atol=1e-5)


def test_without_features_ridge_predicts_the_mean() -> None:
    coordinates = rotate(np.empty((20, 0)), np.empty((5, 0)))
    assert np.allclose(ridge(coordinates, np.arange(20.0)[:, None], np.ones(1)), 9.5)
