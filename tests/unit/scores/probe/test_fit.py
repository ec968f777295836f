from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.metrics import log_loss

from semantoks.scores.linear_models.axes import rotate
from semantoks.scores.probe.fit import (
    fit_classifications,
    fit_probe,
    strongest_of_best,
)
from semantoks.scores.probe.targets import ClassificationTargets, RegressionTargets, inner_folds


def test_classifications_at_once_are_those_fitted_alone() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((80, 6))
    coordinates = rotate(features[:60], features[60:])
    codes = (features[:60, :3] + rng.standard_normal((60, 3)) > 0).astype(int)
    targets = [ClassificationTargets(column, ["a", "b"]) for column in codes.T]
    folds = np.stack([inner_folds(target, None, 5) for target in targets], axis=1)
    strengths = np.array([1.0, 1e-2, 1e-4])
    together = fit_classifications(coordinates, codes, folds, 2, strengths)
    for number, fit in enumerate(together):
        alone = fit_probe(coordinates, targets[number], folds[:, number], [1e-4, 1.0, 1e-2])
        assert fit.strength == alone.strength
        np.testing.assert_allclose(fit.predicted_HK, alone.predicted_HK, atol=0.02)


def test_the_inner_loss_is_that_of_the_predictions_of_the_inner_folds() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((100, 5))
    coordinates = rotate(features[:80], features[80:])
    value = 50 + 7 * (features[:80, 0] + rng.standard_normal(80))
    numbers = RegressionTargets(value)
    fit = fit_probe(coordinates, numbers, inner_folds(numbers, None, 5), [1e-2, 1.0])
    residual = fit.cross_validated_PK[:, 0] - value
    assert fit.inner_loss == pytest.approx((residual**2).mean() / value.var())
    assert 0.3 < fit.inner_loss < 0.8
    codes = (value > np.quantile(value, 0.7)).astype(int)
    classes = ClassificationTargets(codes, ["a", "b"])
    fit = fit_probe(coordinates, classes, inner_folds(classes, None, 5), [1e-2, 1.0])
    # The offset is the one that makes balanced classes most likely.
    logits = fit.cross_validated_PK[:, 1]
    weights = len(codes) / (2 * np.bincount(codes))[codes]

    def loss(offset: float) -> float:
        probability = expit(logits + offset)
        return float(log_loss(codes, probability, sample_weight=weights))

    assert fit.inner_loss == pytest.approx(minimize_scalar(loss).fun, abs=1e-8)
    assert fit.inner_loss < np.log(2)


def test_of_equal_losses_the_strongest_penalty_wins() -> None:
    assert strongest_of_best(np.array([0.5, 0.2 + 1e-13, 0.2, 0.3])) == 1
