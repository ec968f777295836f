from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from semantoks.config import Probe
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.permutation import auroc, balanced_accuracy, pearson
from tests.unit.scores.conftest import problem_of


def test_column_wise_metrics_match_scikit_learn_and_numpy() -> None:
    rng = np.random.default_rng(8)
    predicted, truth = rng.standard_normal((40, 7)), rng.random((40, 7)) < 0.4
    expected = [roc_auc_score(truth[:, m], predicted[:, m]) for m in range(7)]
    np.testing.assert_allclose(auroc(predicted, truth), expected)
    expected = [np.corrcoef(truth[:, m], predicted[:, m])[0, 1] for m in range(7)]
    np.testing.assert_allclose(pearson(predicted, truth.astype(float)), expected)


def test_metrics_of_degenerate_columns() -> None:
    predicted = np.arange(4.0)[:, None]
    assert auroc(predicted, np.ones((4, 1), bool)).tolist() == [0.5]
    assert pearson(predicted, np.ones((4, 1))).tolist() == [0]


def test_balanced_accuracy_of_columns_matches_scikit_learn() -> None:
    rng = np.random.default_rng(9)
    predicted, truth = rng.integers(0, 3, (40, 7)), rng.integers(0, 3, (40, 7))
    expected = [balanced_accuracy_score(truth[:, m], predicted[:, m]) for m in range(7)]
    np.testing.assert_allclose(balanced_accuracy(predicted, truth), expected)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_a_phenotype_does_not_matter(unit: float) -> None:
    rng = np.random.default_rng(10)
    features = rng.standard_normal((60, 8))
    target = features[:, 0] + rng.standard_normal(60)
    settings = Probe(repeats=3, permutations=99, learning_curve=[])
    first, second = (
        score_features(problem_of(values), [Features(features)], settings)
        for values in (target, unit * target)
    )
    assert first.permutation_test is not None and second.permutation_test is not None
    assert second.permutation_test.p == first.permutation_test.p
    assert first.permutation_test.p < 0.1
    np.testing.assert_allclose(second.scores["pearson_r"], first.scores["pearson_r"])
    parts = [Features(features), Features(features[:, :3])]
    stacked = [
        score_features(problem_of(values), parts, settings) for values in (target, unit * target)
    ]
    np.testing.assert_allclose(*(result.scores["pearson_r"] for result in stacked))


def test_the_unit_of_features_does_not_matter() -> None:
    rng = np.random.default_rng(11)
    features = rng.standard_normal((60, 8))
    problem = problem_of(features[:, 0] + rng.standard_normal(60))
    settings = Probe(repeats=2, permutations=0, learning_curve=[])
    first, second = (
        score_features(problem, [Features(unit * features)], settings).scores["pearson_r"]
        for unit in (1.0, 1e-12)
    )
    np.testing.assert_allclose(second, first)
