from __future__ import annotations

import logging

import numpy as np
import pytest

from semantoks.scores.linear_models import conjugate_gradients
from semantoks.scores.linear_models.logistic_loss import (
    LogisticLoss,
    balanced_classes,
    with_intercept,
)


def loss_of(columns: int) -> LogisticLoss:
    rng = np.random.default_rng(0)
    rows, codes = with_intercept(rng.standard_normal((40, 6))), rng.integers(3, size=(40, columns))
    targets = balanced_classes(codes, np.ones(codes.shape, bool), 3)
    return LogisticLoss(rows, targets, np.linspace(0.1, 10, columns))


def test_the_gradient_vanishes_in_every_column() -> None:
    loss = loss_of(5)
    weights = conjugate_gradients.minimise(loss, None, 1e-8)
    assert np.abs(loss.gradient(loss.at(weights))).max() < 1e-6
    again = conjugate_gradients.minimise(loss, weights, 1e-7)
    np.testing.assert_array_equal(again, weights)  # the solution is a fixed point


def test_no_convergence_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(conjugate_gradients, "MAX_ITERATIONS", 1)
    with caplog.at_level(logging.WARNING):
        conjugate_gradients.minimise(loss_of(1), None, 1e-12)
    assert "did not converge within 1 iterations" in caplog.text
