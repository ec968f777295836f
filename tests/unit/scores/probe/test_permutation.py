from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from semantoks.config import Probe
from semantoks.scores.metrics import MIN_TESTED
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.permutation import (
    Permutations,
    PermutationTest,
    auroc,
    balanced_accuracy,
    pearson,
)
from semantoks.scores.probe.problem import Partition
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


def test_shuffles_leave_out_the_splits_whose_r_is_not_reported() -> None:
    rng = np.random.default_rng(12)
    features = Features(rng.standard_normal((60, 8)))
    problem = problem_of(rng.standard_normal(60))
    everybody, none = np.arange(60), np.arange(0)
    large, small = (
        Partition(problem.metadata.splits[0], 1.0, everybody[:40], none, everybody[40:end])
        for end in (60, 40 + MIN_TESTED - 1)
    )

    def tested(*partitions: Partition) -> PermutationTest:
        permutations = Permutations(problem.targets(everybody), Probe(permutations=99))
        for partition in partitions:
            coordinates = features.coordinates(partition.train, partition.test)
            permutations.add([coordinates], partition, np.arange(40) % 5)
        result = permutations.result()
        assert result is not None
        return result

    np.testing.assert_array_equal(tested(large, small).shuffled, tested(large).shuffled)
    assert tested(small).shuffled.size == 0 and 0 < tested(small).p <= 1
