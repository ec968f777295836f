from __future__ import annotations

import numpy as np
import pytest

from semantoks.config import MIN_TESTED, Probe
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.permutation import Permutations, PermutationTest
from semantoks.scores.probe.problem import Partition
from semantoks.scores.split.parts import TRAIN, VALIDATION
from tests.unit.scores.conftest import problem_of


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


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_scores_of_permutations_are_known_by_split(classes: int) -> None:
    """The first is the phenotype as it is: of a number its fit is the probe's own."""
    rng = np.random.default_rng(13)
    features = rng.standard_normal((90, 8))
    value = features[:, 0] + rng.standard_normal(90)
    target = np.array(list("abc"))[rng.integers(0, classes, 90)] if classes else value
    settings = Probe(repeats=2, permutations=9, learning_curve=[])
    result = score_features(problem_of(target), [Features(features)], settings)
    test = result.permutation_test
    assert test is not None
    assert [split.split for split in test.splits] == result.scores["split"].to_list()
    for split in test.splits:
        assert split.loss_M.shape == split.score_M.shape == (10,)
        assert split.primary_M is not None and split.primary_M.shape == (10,)
    again = PermutationTest.of(test.splits)
    assert again.p == test.p and (again.shuffled == test.shuffled).all()
    if not classes:
        # Standardised over everybody instead of over the training part.
        for row, split in zip(result.scores.itertuples(), test.splits, strict=True):
            train = problem_of(target).participants[row.split].isin((TRAIN, VALIDATION))
            scale = value[train.to_numpy()].var() / value.var()
            assert split.loss_M[0] == pytest.approx(row.inner_loss * scale)
            assert split.score_M[0] == pytest.approx(row.pearson_r)


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
            permutations.add(permutations.score([coordinates], partition, np.arange(40) % 5))
        result = permutations.result()
        assert result is not None
        return result

    np.testing.assert_array_equal(tested(large, small).shuffled, tested(large).shuffled)
    assert tested(small).shuffled.size == 0 and 0 < tested(small).p <= 1
