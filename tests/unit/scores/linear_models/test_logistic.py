"""Logistic regression against scikit-learn, on random problems."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from semantoks.scores.linear_models.axes import rotate, standardise
from semantoks.scores.linear_models.logistic import fit_logistic
from semantoks.scores.linear_models.logistic_loss import (
    balanced_classes,
    logits_of,
    logits_per_class,
    with_intercept,
)
from tests.unit.scores.linear_models.conftest import SHAPES, STRENGTHS, random_problem


def fit_at(rows: np.ndarray, codes: np.ndarray, classes: int, penalties: np.ndarray) -> np.ndarray:
    """Weights of one regression per penalty."""
    code_PC = np.tile(codes[:, None], len(penalties))
    targets = balanced_classes(code_PC, np.ones(code_PC.shape, bool), classes)
    return fit_logistic(with_intercept(rows), targets, penalties)


@pytest.mark.parametrize("shape", SHAPES)
def test_logistic_regression_matches_scikit_learn(shape: tuple[int, int, int]) -> None:
    train, held, codes, _ = random_problem(*shape)
    coordinates, (train_z, held_z) = rotate(train, held), standardise(train, held)
    weights_RCK = fit_at(coordinates.train_PR, codes, shape[2], STRENGTHS * len(train))
    logits_HCK = logits_per_class(logits_of(with_intercept(coordinates.held_HR), weights_RCK))
    for column, strength in enumerate(STRENGTHS):
        theirs = LogisticRegression(
            C=1 / (strength * len(train)),
            class_weight="balanced",
            solver="newton-cholesky" if shape[1] < 100 else "lbfgs",
            tol=1e-10,
            max_iter=100_000,
        ).fit(train_z, codes)
        # Principal axes are rotated features, so the weights can be rotated back.
        back = np.linalg.lstsq(train_z, coordinates.train_PR, rcond=None)[0]
        ours = (back @ weights_RCK[:-1, column]).T
        intercept = weights_RCK[-1, column] - (
            weights_RCK[-1, column].mean() if shape[2] > 2 else 0
        )
        scale = np.abs(theirs.coef_).max()
        np.testing.assert_allclose(ours, theirs.coef_, atol=1e-4 * scale)
        np.testing.assert_allclose(intercept, theirs.intercept_, atol=1e-4 * scale)
        probabilities = softmax(logits_HCK[:, column], axis=1)
        expected = theirs.predict_proba(held_z)
        np.testing.assert_allclose(probabilities, expected, atol=1e-4)
        assert (probabilities.argmax(axis=1) == theirs.predict(held_z)).all()


def test_without_features_balanced_classes_are_equally_likely() -> None:
    coordinates = rotate(np.empty((20, 0)), np.empty((5, 0)))
    codes = np.r_[np.zeros(15, int), np.ones(5, int)]
    weights = fit_at(coordinates.train_PR, codes, 2, np.ones(1))
    assert np.allclose(logits_of(with_intercept(coordinates.held_HR), weights), 0, atol=1e-6)
