from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.axes import rotate
from semantoks.scores.probe.fit import (
    fit_classifications,
    fit_probe,
    strongest_of_best,
)
from semantoks.scores.probe.targets import ClassificationTargets, inner_folds


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
