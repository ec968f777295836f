from __future__ import annotations

import numpy as np
import pytest

from semantoks.scores.linear_models.logistic_loss import (
    LogisticLoss,
    balanced_classes,
    logits_per_class,
    with_intercept,
)


def test_balanced_weights_by_hand() -> None:
    codes = np.array([[0, 0], [0, 0], [0, 1], [1, 1]])
    included = np.array([[True, True], [True, True], [True, False], [True, True]])
    weights = balanced_classes(codes, included, 2).weight_PC
    np.testing.assert_allclose(weights[:, 0], [2 / 3, 2 / 3, 2 / 3, 2])
    np.testing.assert_allclose(weights[:, 1], [3 / 4, 3 / 4, 0, 3 / 2])


def test_the_first_of_two_classes_has_logit_zero() -> None:
    assert logits_per_class(np.array([[2.0], [-1.0]])).tolist() == [[0, 2], [0, -1]]
    three = np.ones((2, 3))
    assert logits_per_class(three) is three


@pytest.mark.parametrize("classes", [2, 3])
def test_curvature_is_the_derivative_of_the_slope(classes: int) -> None:
    rng = np.random.default_rng(classes)
    rows, codes = with_intercept(rng.standard_normal((30, 4))), rng.integers(classes, size=(30, 2))
    targets = balanced_classes(codes, np.ones(codes.shape, bool), classes)
    loss = LogisticLoss(rows, targets, np.zeros(2))
    weights, direction = rng.standard_normal((2, *loss.shape))
    logit_direction = loss.at(direction).logits_PCK

    def slope(step: float) -> np.ndarray:
        return np.asarray(
            (loss.gradient(loss.at(weights + step * direction)) * direction).sum((0, 2))
        )

    curvature = loss.curvature_along(loss.at(weights).probabilities_PCK, logit_direction)
    np.testing.assert_allclose((slope(1e-5) - slope(-1e-5)) / 2e-5, curvature, rtol=1e-6)
