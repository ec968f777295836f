from __future__ import annotations

import numpy as np
import pytest

from semantoks.errors import UserError
from semantoks.scores.linear_models.axes import rotate
from semantoks.scores.probe.fit import (
    check_training_part,
    fit_classifications,
    fit_probe,
    inner_folds,
    strongest_of_best,
)
from semantoks.scores.probe.targets import ClassificationTargets, RegressionTargets, classes_of


def test_inner_folds_keep_families_together() -> None:
    groups = np.repeat(np.arange(20), 3)
    folds = inner_folds(ClassificationTargets(np.arange(60) % 2, ["a", "b"]), groups, 5)
    assert all(len(set(folds[groups == g])) == 1 for g in range(20))
    assert len(set(folds)) == 5


def test_inner_folds_are_stratified_by_class() -> None:
    codes = np.r_[np.zeros(40, int), np.ones(10, int)]
    folds = inner_folds(ClassificationTargets(codes, ["a", "b"]), None, 5)
    assert all((codes[folds == fold] == 1).sum() == 2 for fold in range(5))


def test_too_few_participants_for_the_inner_folds() -> None:
    targets = classes_of(np.array(["a"] * 10 + ["b"] * 4))
    with pytest.raises(UserError, match="4 participants in its smallest class, .* 5` needs 5"):
        check_training_part(targets, "dx", 5)
    with pytest.raises(UserError, match="9 participants in total, .* 5` needs 10"):
        check_training_part(RegressionTargets(np.arange(9.0)), "x", 5)
    check_training_part(RegressionTargets(np.arange(10.0)), "x", 5)


def test_a_constant_training_part_is_an_error() -> None:
    with pytest.raises(UserError, match="all participants of a training part have the same value"):
        check_training_part(RegressionTargets(np.zeros(60)), "x", 5)


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


def test_of_equal_losses_the_strongest_penalty_wins() -> None:
    assert strongest_of_best(np.array([0.5, 0.2 + 1e-13, 0.2, 0.3])) == 1
