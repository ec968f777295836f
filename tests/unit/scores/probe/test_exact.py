"""The exact protocol: no leakage from test participants, and scores that recover known effects."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from semantoks.artifacts.representations import FeatureBlock
from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.comparison import Summary
from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.metrics import CLASSIFICATION
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem
from semantoks.scores.split.parts import TEST
from tests.unit.scores.conftest import QUICK, mean_score, problem_of


def test_the_values_of_test_participants_never_reach_the_fit() -> None:
    rng = np.random.default_rng(0)
    features, target = rng.standard_normal((60, 6)), rng.standard_normal(60)
    problem = problem_of(target)
    result = score_features(problem, [Features(features)], QUICK)
    is_test = problem.participants["random 00"].to_numpy() == TEST
    changed = problem.participants.assign(target=np.where(is_test, 1000.0, target))
    again = score_features(Problem(problem.metadata, changed), [Features(features)], QUICK)
    first = result.predictions["split"] == "random 00"
    np.testing.assert_array_equal(
        result.predictions["predicted"][first], again.predictions["predicted"][first]
    )
    assert len(result.scores) == 4


def test_a_simulated_effect_is_detected_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((200, 50))

    def score_of(target: np.ndarray, metric: str) -> float:
        result = score_features(problem_of(target), [Features(features)], QUICK)
        return mean_score(result.scores, metric)

    value = features[:, 0] + 0.5 * rng.standard_normal(200)
    assert score_of(value, "pearson_r") > 0.7
    assert score_of(rng.standard_normal(200), "r2") < 0.1
    classes = np.where(features[:, 0] > 0, "b", "a")
    assert score_of(classes, "balanced_accuracy") > 0.8
    three = np.array(["a", "b", "c"])[np.searchsorted([-0.4, 0.4], features[:, 0])]
    assert score_of(three, "balanced_accuracy") > 0.6


def test_the_size_of_an_effect_is_recovered() -> None:
    """A third of the variance explained gives r = √⅓; classes 2 σ apart an accuracy of Φ(1)."""
    rng = np.random.default_rng(2)
    features = rng.standard_normal((1500, 5))
    value = features[:, 0] + np.sqrt(2) * rng.standard_normal(1500)
    scores = score_features(problem_of(value), [Features(features)], QUICK).scores
    assert mean_score(scores, "pearson_r") == pytest.approx(np.sqrt(1 / 3), abs=0.04)
    ill = rng.random(1500) < 0.3
    features[:, 0] += 2 * ill
    problem = problem_of(np.where(ill, "ill", "well"))
    scores = score_features(problem, [Features(features)], QUICK).scores
    accuracy = mean_score(scores, "balanced_accuracy")
    assert accuracy == pytest.approx(stats.norm.cdf(1), abs=0.02)


@pytest.mark.slow
def test_false_positives_in_noise_are_as_rare_as_stated() -> None:
    """200 phenotypes without effect: uniform p-values, and 95 % intervals that cover 95 %."""
    rng = np.random.default_rng(3)
    settings = Probe(repeats=10, permutations=99, learning_curve=[])
    p_values, covered = [], []
    for number in range(200):
        features = rng.standard_normal((80, 30))
        if number % 2:
            target, metric, chance = rng.standard_normal(80), "pearson_r", 0.0
        else:
            target = np.where(rng.permutation(80) < 40, "a", "b")
            metric, chance = "balanced_accuracy", 0.5
        result = score_features(problem_of(target), [Features(features)], settings)
        interval = benchmark_interval(result, metric)
        assert result.permutation_test is not None
        p_values.append(result.permutation_test.p)
        covered.append(interval.low <= chance <= interval.high)
    assert stats.kstest(p_values, "uniform").pvalue > 0.05
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def benchmark_interval(result: ProbeResult, metric: str) -> Summary:
    """The interval that a benchmark reports of a representation."""
    assert result.permutation_test is not None
    kind = "classification" if metric in CLASSIFICATION else "regression"
    task = Task("x", kind, None, 1, None, {}, "exact", "none")
    scores = ProbeScores(task, "x", 1, None, list(result.permutation_test.shuffled), result.scores)
    (scheme,) = compare([scores], "toy").schemes
    return scheme.representations[0].metrics[metric]


def test_a_phenotype_that_is_confounded_with_site_is_exposed() -> None:
    """Features hold the site only, and sites differ in the phenotype.

    The phenotype is predicted on random splits, but neither on held-out sites, nor within sites,
    nor after the site has been regressed out.
    """
    rng = np.random.default_rng(4)
    site = np.repeat(np.arange(6), 40)
    features = np.eye(6)[site] + 0.3 * rng.standard_normal((240, 6))
    value = site + rng.standard_normal(240)
    problem = problem_of(value, site=[f"s{s}" for s in site])
    scores = score_features(problem, [Features(features)], QUICK).scores
    assert mean_score(scores, "pearson_r") > 0.6
    assert abs(mean_score(scores, "pearson_r_within_sites")) < 0.15
    assert abs(mean_score(scores, "pearson_r", "site")) < 0.15
    residualised = Features(features, "", np.eye(6)[site])
    scores = score_features(problem, [residualised], QUICK).scores
    assert mean_score(scores, "pearson_r") < 0.15


def test_stacking_uses_all_representations_and_ignores_noise() -> None:
    rng = np.random.default_rng(5)
    first, second = (rng.standard_normal((300, 10)) for _ in range(2))
    noise = rng.standard_normal((300, 40))
    value = first[:, 0] + second[:, 0] + 0.5 * rng.standard_normal(300)

    def score_of(problem: Problem, metric: str, *parts: np.ndarray) -> float:
        result = score_features(problem, [Features(part) for part in parts], QUICK)
        return mean_score(result.scores, metric)

    def r(*parts: np.ndarray) -> float:
        return score_of(problem_of(value), "pearson_r", *parts)

    assert r(first, second) > max(r(first), r(second)) + 0.15
    assert r(first, noise) > r(first) - 0.02
    classes = problem_of(np.where(value > 0, "a", "b"))
    both = score_of(classes, "balanced_accuracy", first, second)
    assert both > score_of(classes, "balanced_accuracy", first) + 0.05


def test_combined_representations_are_blocks_of_one() -> None:
    """And a few features count as much as many."""
    rng = np.random.default_rng(13)
    few, many = rng.standard_normal((200, 5)), rng.standard_normal((200, 600))
    value = few[:, 0] + 0.5 * rng.standard_normal(200)
    settings = Probe(repeats=3, permutations=20, learning_curve=[0.5])
    blocks = Features(
        np.hstack([few, many]), blocks=(FeatureBlock("few", 5), FeatureBlock("many", 600))
    )
    for target, metric in ((value, "pearson_r"), (np.where(value > 0, "a", "b"), "auroc")):
        problem = problem_of(target)
        parts = [Features(few), Features(many)]
        both = score_features(problem, parts, settings, combined=True)
        together = score_features(problem, [blocks], settings)
        assert both.scores.equals(together.scores)
        assert both.permutation_test is not None and both.permutation_test.p < 0.05
        assert set(both.scores["fraction"]) == {0.5, 1}
        unscaled = score_features(problem, [Features(blocks.values_PF)], settings)
        assert mean_score(both.scores, metric) > mean_score(unscaled.scores, metric) + 0.1
    # Triangles of two regions, and their shrinkage.
    covariances = np.array([5, 0, 5, 0.1]) + np.c_[rng.random((200, 3)), np.zeros(200)]
    projected = [Features(few), Features(covariances, "tangent")]
    scores = score_features(problem_of(value), projected, settings, combined=True).scores
    assert set(scores["fraction"]) == {0.5, 1}


def test_permuted_scores_are_those_of_a_permuted_phenotype() -> None:
    """Of one representation, of two stacked, whose second probe is fitted anew, and combined."""
    rng = np.random.default_rng(7)
    parts = [Features(rng.standard_normal((80, width))) for width in (10, 100)]
    value = parts[0].values_PF[:, 0] + rng.standard_normal(80)
    settings = Probe(repeats=3, permutations=5, learning_curve=[])
    problem = problem_of(value)
    order = np.random.default_rng(0).permutation(80)  # the first shuffle of every problem
    permuted = problem.participants.assign(target=value[order])
    for used, combined in ((parts[:1], False), (parts, False), (parts, True)):
        test = score_features(problem, used, settings, combined=combined).permutation_test
        assert test is not None
        problem_of_shuffle = Problem(problem.metadata, permuted)
        scores = score_features(problem_of_shuffle, used, settings, combined=combined).scores
        assert test.shuffled[0] == pytest.approx(mean_score(scores, "pearson_r"), abs=1e-6)


def test_a_stacked_effect_has_a_low_permutation_p() -> None:
    rng = np.random.default_rng(8)
    first, noise = rng.standard_normal((80, 10)), rng.standard_normal((80, 30))
    value = first[:, 0] + 0.5 * rng.standard_normal(80)
    settings = Probe(repeats=5, permutations=99, learning_curve=[])
    for target in (value, np.where(value > 0, "a", "b")):
        stacked = [Features(first), Features(noise)]
        test = score_features(problem_of(target), stacked, settings).permutation_test
        assert test is not None and test.p < 0.05


def test_learning_curves_use_fewer_training_participants() -> None:
    rng = np.random.default_rng(6)
    features = rng.standard_normal((150, 20))
    value = features[:, 0] + rng.standard_normal(150)
    settings = Probe(repeats=3, permutations=0, learning_curve=[0.2, 0.5])
    result = score_features(problem_of(value), [Features(features)], settings)
    by_fraction = result.scores.groupby("fraction")
    assert by_fraction["train_people"].first().to_dict() == {0.2: 24, 0.5: 60, 1: 120}
    assert by_fraction["pearson_r"].mean().is_monotonic_increasing
    assert len(result.predictions) == 3 * 30  # of the fits with all training participants


def test_binned_numbers_are_classified() -> None:
    values = np.arange(100.0)
    problem = problem_of(values, bins=4)
    scores = score_features(problem, [Features(values[:, None] + 0.1)], QUICK).scores
    assert mean_score(scores, "accuracy") > 0.7


def test_a_small_class_is_predicted_where_features_outnumber_participants() -> None:
    """Offsets that are fitted to cross-validated logits correct an intercept that overfits."""
    rng = np.random.default_rng(11)
    rare = np.arange(200) < 30
    features = rng.standard_normal((200, 3000))
    features[:, :60] += rare[:, None]
    problem = problem_of(np.where(rare, "rare", "usual"))
    result = score_features(problem, [Features(features)], QUICK)
    assert mean_score(result.scores, "balanced_accuracy") > 0.65
    assert mean_score(result.scores, "auroc") > 0.75
    called_rare = (result.predictions["predicted"] == "rare").mean()
    assert 0.1 < called_rare < 0.45


def test_families_have_a_p_value_but_no_shuffles_for_intervals() -> None:
    features = np.random.default_rng(12).standard_normal((60, 3))
    group = [f"f{i // 2}" for i in range(60)]
    settings = Probe(repeats=2, permutations=20, learning_curve=[])
    problem = problem_of(features[:, 0], group=group)
    test = score_features(problem, [Features(features)], settings).permutation_test
    assert test is not None and test.p == 1 / 21 and not len(test.shuffled)


def test_ties_and_constants_are_errors() -> None:
    tied = problem_of([0.0] * 60 + list(np.arange(1.0, 41)), bins=2)
    with pytest.raises(UserError, match="cannot be binned into 2 classes: too many participants"):
        score_features(tied, [Features(np.ones((100, 1)))], QUICK)
    target = np.zeros(60)
    target[3] = 1
    with pytest.raises(UserError, match="all participants of a training part have the same value"):
        score_features(problem_of(target), [Features(np.ones((60, 1)))], Probe(permutations=0))
