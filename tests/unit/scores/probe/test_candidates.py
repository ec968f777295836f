"""Two versions of a projection, of which the inner folds choose one."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.artifacts.representations import FeatureBlock
from semantoks.config import Probe
from semantoks.scores.probe.candidates import versions_of
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem
from semantoks.scores.represent.projections import PROJECTIONS
from semantoks.scores.represent.tangent import covariances
from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION
from tests.unit.scores.conftest import QUICK, mean_score, problem_of, scan_of

HALF = 10


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Rows of which the two versions of `tangent` take one half each."""
    monkeypatch.setitem(
        PROJECTIONS, "tangent", lambda train, held: (train[:, :HALF], held[:, :HALF])
    )
    monkeypatch.setitem(
        PROJECTIONS, "tangent_shrunk", lambda train, held: (train[:, HALF:], held[:, HALF:])
    )
    return np.random.default_rng(0).standard_normal((100, 2 * HALF))


@pytest.mark.parametrize("is_class", [False, True])
@pytest.mark.parametrize("informative", [0, HALF])
def test_the_version_of_less_inner_loss_is_used(
    halves: np.ndarray, informative: int, is_class: bool
) -> None:
    value = halves[:, informative] + 0.5 * np.random.default_rng(1).standard_normal(100)
    problem = problem_of(np.where(value > 0, "b", "a") if is_class else value)
    settings = Probe(repeats=3, permutations=20, learning_curve=[0.5])
    chosen = score_features(problem, [Features(halves, "tangent")], settings)
    half = halves[:, informative : informative + HALF]
    expected = score_features(problem, [Features(half)], settings)
    assert chosen.scores.equals(expected.scores)
    assert chosen.permutation_test is not None and chosen.permutation_test.p == 1 / 21


def test_the_choice_is_made_without_the_test_participants(halves: np.ndarray) -> None:
    """In the training part the first version says more, in the test part only the second one."""
    rng = np.random.default_rng(2)
    problem = problem_of(rng.standard_normal(100))
    split = problem.metadata.splits[0]
    is_test = problem.participants[split.name].to_numpy() == TEST
    first, second = halves[:, 0], halves[:, HALF]
    value = np.where(is_test, second, first + 0.7 * second)
    problem = Problem(problem.metadata, problem.participants.assign(target=value))
    settings = Probe(repeats=1, permutations=0, learning_curve=[])
    scores = {
        key: score_features(problem, [features], settings).scores["pearson_r"][0]
        for key, features in {
            "chosen": Features(halves, "tangent"),
            "first": Features(halves[:, :HALF]),
            "second": Features(halves[:, HALF:]),
        }.items()
    }
    assert scores["chosen"] == scores["first"] < 0.5 < scores["second"]


def test_permuted_scores_are_those_of_a_permuted_phenotype(halves: np.ndarray) -> None:
    """Each permutation chooses its version by its own inner folds."""
    problem = problem_of(np.random.default_rng(9).standard_normal(100))
    settings = Probe(repeats=4, permutations=3, learning_curve=[])
    test = score_features(problem, [Features(halves, "tangent")], settings).permutation_test
    assert test is not None
    order = np.random.default_rng(0).permutation(100)  # the first shuffle of every problem
    value = problem.participants["target"].to_numpy()[order]
    permuted = Problem(problem.metadata, problem.participants.assign(target=value))
    results = {
        name: score_features(permuted, [features], settings).scores
        for name, features in {
            "chosen": Features(halves, "tangent"),
            "first": Features(halves[:, :HALF]),
            "second": Features(halves[:, HALF:]),
        }.items()
    }
    expected = mean_score(results["chosen"], "pearson_r")
    assert test.shuffled[0] == pytest.approx(expected, abs=1e-9)
    # Both versions were used, so that this test would see a choice that is not repeated.
    losses = results["first"]["inner_loss"] < results["second"]["inner_loss"]
    assert 0 < losses.sum() < 4


def test_stacked_rows_have_the_first_version(halves: np.ndarray) -> None:
    problem = problem_of(halves[:, HALF] + halves[:, 0])
    other = Features(np.random.default_rng(4).standard_normal((100, 4)))
    stacked = score_features(problem, [Features(halves, "tangent"), other], QUICK)
    expected = score_features(problem, [Features(halves[:, :HALF]), other], QUICK)
    assert stacked.scores.equals(expected.scores)


def test_learning_curves_share_the_reference_of_their_split() -> None:
    """It knows no label; test participants have no part in it at any fraction."""
    rng = np.random.default_rng(5)
    rows = np.stack(list(covariances(scan_of(rng.standard_normal((4, 60))) for _ in range(80))))
    problem = problem_of(rng.standard_normal(80))
    settings = Probe(repeats=1, permutations=0, learning_curve=[0.5])
    part = problem.participants[problem.metadata.splits[0].name].to_numpy()
    train = np.flatnonzero(np.isin(part, (TRAIN, VALIDATION)))
    test = np.flatnonzero(part == TEST)
    result = score_features(problem, [Features(rows, "tangent")], settings)
    assert result.scores["fraction"].tolist() == [0.5, 1.0]
    candidates = [
        score_features(
            problem, [Features(rows, projection).projected(train, test)], settings
        ).scores
        for projection in ("tangent", "tangent_shrunk")
    ]
    for fit in range(2):
        best = min(candidates, key=lambda scores, fit=fit: scores["inner_loss"][fit])
        assert result.scores["pearson_r"][fit] == best["pearson_r"][fit]


def test_a_gaussian_kernel_learns_a_product_that_no_linear_probe_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The product of the signs of two features, as of two connections."""
    for name in ("tangent_rbf", "tangent_rbf_shrunk"):
        monkeypatch.setitem(PROJECTIONS, name, lambda train, held: (train, held))
    rows = np.random.default_rng(0).standard_normal((300, 2))
    problem = problem_of(np.where(rows[:, 0] * rows[:, 1] > 0, "same", "other"))
    linear = score_features(problem, [Features(rows)], QUICK).scores
    gaussian = score_features(problem, [Features(rows, "tangent_rbf")], QUICK).scores
    assert mean_score(linear, "balanced_accuracy") < 0.6
    assert mean_score(gaussian, "balanced_accuracy") > 0.85
    # In a row of several representations, each has a kernel of its own.
    features = [Features(rows[:, :1]), Features(rows, "tangent_rbf")]
    combined = score_features(problem, features, QUICK, combined=True).scores
    assert mean_score(combined, "balanced_accuracy") > 0.8


def test_a_gaussian_kernel_finds_nothing_where_there_is_nothing() -> None:
    rng = np.random.default_rng(2)
    rows = np.stack(list(covariances(scan_of(rng.standard_normal((6, 60))) for _ in range(120))))
    problem = problem_of(rng.permutation(["x", "y"] * 60))
    settings = Probe(repeats=8, permutations=100, learning_curve=[])
    result = score_features(problem, [Features(rows, "tangent_rbf")], settings)
    assert abs(mean_score(result.scores, "balanced_accuracy") - 0.5) < 0.1
    assert result.permutation_test is not None and result.permutation_test.p > 0.05


@pytest.mark.parametrize("is_class", [False, True])
def test_a_phenotype_of_a_lesser_block_does_not_drown(is_class: bool) -> None:
    rng = np.random.default_rng(5)
    large, small = rng.standard_normal((100, 400)), rng.standard_normal((100, 10))
    blocks = (FeatureBlock("large", 400), FeatureBlock("small", 10, 0.2))
    features = Features(np.hstack([large, small]), blocks=blocks)
    settings = Probe(repeats=3, permutations=20, learning_curve=[0.5])
    value = small[:, 0] + 0.3 * rng.standard_normal(100)
    problem = problem_of(np.where(value > 0, "b", "a") if is_class else value)
    chosen = score_features(problem, [features], settings)
    alone = score_features(problem, [Features(small)], settings)
    metric = "auroc" if is_class else "pearson_r"
    difference = mean_score(chosen.scores, metric) - mean_score(alone.scores, metric)
    assert abs(difference) < 0.02 < mean_score(chosen.scores, metric)
    assert chosen.permutation_test is not None and chosen.permutation_test.p == 1 / 21


def test_equal_blocks_have_one_version() -> None:
    rows = np.zeros((4, 3))
    equal = Features(rows, blocks=(FeatureBlock("a", 1), FeatureBlock("b", 2)))
    assert len(list(versions_of([[equal]]))) == len(list(versions_of([[Features(rows)]]))) == 1
    lesser = Features(rows, blocks=(FeatureBlock("a", 1), FeatureBlock("b", 2, 0.5)))
    _, (((second,),), handicap) = versions_of([[lesser]])
    assert handicap == pytest.approx(1 / 0.9)
    assert second.weights == [0.0, 1.0]
    assert len(list(versions_of([[lesser], [equal]]))) == 1
