"""The best of several representations, chosen fit by fit inside the training part."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.choose.choice import choose_per_fit
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem
from semantoks.scores.represent.connectivity import (
    connectivity,
    connectivity_without_global_signal,
)
from semantoks.scores.split.parts import TEST
from tests.unit.scores.conftest import QUICK, mean_score, problem_of, scan_of

SETTINGS = Probe(repeats=4, permutations=50, learning_curve=[])


def simulated(rng: np.random.Generator, *, in_global: bool) -> tuple[dict[str, Features], Problem]:
    """People of two groups, whose connectivity with and without the global signal differs.

    The groups differ in the strength of a global signal, which its regression takes away, or in
    the coupling of two regions under one that is of another strength in every region and person.
    """
    scans, ill = [], np.arange(120) % 2 == 1
    for person in range(120):
        noise = rng.standard_normal((8, 150))
        if in_global:
            strength = np.full((8, 1), 0.7 + 0.25 * ill[person])
        else:
            strength = 8 ** rng.random((8, 1))
            noise[1] += 0.3 * ill[person] * noise[0]
        scans.append(scan_of(noise + strength * rng.standard_normal(150)))
    rows = {
        "fc": np.stack(list(connectivity(scans))),
        "fc_gsr": np.stack(list(connectivity_without_global_signal(scans))),
    }
    features = {name: Features(values) for name, values in rows.items()}
    return features, problem_of(np.where(ill, "ill", "well"))


@pytest.mark.parametrize("in_global", [True, False])
def test_the_connectivity_that_says_something_is_chosen(in_global: bool) -> None:
    features, problem = simulated(np.random.default_rng(0), in_global=in_global)
    results = {name: score_features(problem, [f], SETTINGS) for name, f in features.items()}
    right, wrong = ("fc", "fc_gsr") if in_global else ("fc_gsr", "fc")
    chosen = choose_per_fit(results)
    assert (chosen.scores["chosen"] == right).all()
    score = mean_score(chosen.scores, "auroc")
    assert score == mean_score(results[right].scores, "auroc")
    assert score > mean_score(results[wrong].scores, "auroc") + 0.1
    assert chosen.permutation_test is not None and chosen.permutation_test.p == 1 / 51
    assert chosen.predictions.equals(results[right].predictions)


def test_the_choice_is_made_without_the_test_participants() -> None:
    """In the training part the first says more; the test part would choose the second."""
    rng = np.random.default_rng(2)
    problem = problem_of(rng.standard_normal(100))
    first, second = rng.standard_normal((2, 100, 10))
    is_test = problem.participants[problem.metadata.splits[0].name].to_numpy() == TEST
    value = np.where(is_test, second[:, 0], first[:, 0] + 0.7 * second[:, 0])
    problem = Problem(problem.metadata, problem.participants.assign(target=value))
    settings = Probe(repeats=1, permutations=0, learning_curve=[])
    results = {
        name: score_features(problem, [Features(values)], settings)
        for name, values in {"first": first, "second": second}.items()
    }
    r = {name: result.scores["pearson_r"][0] for name, result in results.items()}
    assert r["first"] < 0.5 < r["second"]
    chosen = choose_per_fit(results)
    assert chosen.scores["chosen"].tolist() == ["first"]
    assert chosen.scores["pearson_r"][0] == r["first"]
    assert chosen.permutation_test is None


def test_each_permutation_chooses_for_itself() -> None:
    rng = np.random.default_rng(9)
    parts = {name: Features(rng.standard_normal((100, 10))) for name in ("first", "second")}
    problem = problem_of(rng.standard_normal(100))

    def chosen(of: Problem) -> ProbeResult:
        return choose_per_fit({n: score_features(of, [f], SETTINGS) for n, f in parts.items()})

    order = np.random.default_rng(0).permutation(100)  # the first shuffle of every problem
    value = problem.participants["target"].to_numpy()[order]
    permuted = chosen(Problem(problem.metadata, problem.participants.assign(target=value)))
    assert set(permuted.scores["chosen"]) == {"first", "second"}
    test = chosen(problem).permutation_test
    assert test is not None
    assert test.shuffled[0] == pytest.approx(mean_score(permuted.scores, "pearson_r"), abs=1e-9)


def test_a_learning_curve_is_chosen_among_those_that_have_it() -> None:
    rng = np.random.default_rng(3)
    parts = rng.standard_normal((2, 100, 5))
    problem = problem_of(parts[1, :, 0] + 0.3 * rng.standard_normal(100))
    curve = QUICK.model_copy(update={"learning_curve": [0.5]})
    results = {
        "first": score_features(problem, [Features(parts[0])], curve),
        "second": score_features(problem, [Features(parts[1])], QUICK),
    }
    scores = choose_per_fit(results).scores
    assert scores["fraction"].tolist() == [0.5, 1.0] * 4
    assert scores["chosen"].tolist() == ["first", "second"] * 4


def test_candidates_of_different_splits_are_refused() -> None:
    rng = np.random.default_rng(4)
    problem = problem_of(rng.standard_normal(60))
    result = score_features(problem, [Features(rng.standard_normal((60, 3)))], QUICK)
    fewer = result._replace(scores=result.scores[:3])
    with pytest.raises(UserError, match="first and second were scored on different splits"):
        choose_per_fit({"first": result, "second": fewer})
