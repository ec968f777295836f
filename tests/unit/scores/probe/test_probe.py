"""Scoring: nothing of those tested in what is fitted, and scores that mean what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import make_spd_matrix

from semantoks.artifacts.representations import People
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.artifacts.timeseries import Scan
from semantoks.config import Phenotype, Probe, Splitting
from semantoks.errors import UserError
from semantoks.scores.benchmark.stage import TASK, compare
from semantoks.scores.metrics import CLASSIFICATION
from semantoks.scores.probe.exact import check_folds, inner_folds
from semantoks.scores.probe.features import Features, without_target
from semantoks.scores.probe.paper import score_windows
from semantoks.scores.probe.permutation import auroc, pearson
from semantoks.scores.probe.problem import Problem
from semantoks.scores.probe.score import score
from semantoks.scores.represent.connectivity import (
    covariances,
    partial_correlation,
    project_coskewness,
    project_tangent,
    square,
    third_moments,
    triangle,
)
from semantoks.scores.split.draw import TEST, draw
from tests.conftest import run_probe, run_represent, run_split

QUICK = Probe(repeats=4, permutations=0, learning_curve=[])


def problem_of(target: Any, **columns: Any) -> Problem:
    """A task of people whose values are given."""
    values = list(target)
    kind = "classification" if isinstance(values[0], str) else "regression"
    index = [f"sub-{i:04d}" for i in range(len(values))]
    people = pd.DataFrame({"target": values, "site": None, "group": None}, index)
    people = people.assign(**columns)
    parts, about = draw(people, Phenotype(kind=kind), Splitting())
    rows = pd.concat([people, pd.DataFrame(parts, index=people.index)], axis=1)
    return Problem({"phenotype": "x", "kind": kind, "bins": None, "splits": about}, rows)


def mean(table: pd.DataFrame, metric: str, scheme: str = "random") -> float:
    return float(table.loc[table["scheme"] == scheme, metric].mean())


# What is fitted sees nobody who is tested


@pytest.mark.parametrize("fitted", ["", "tangent", "coskewness"])
def test_test_people_never_reach_the_fit(fitted: str) -> None:
    """Whatever the test rows hold, the fit and what it says of the others stay the same."""
    rng = np.random.default_rng(0)
    scans = [scan_of(rng.standard_normal((4, 60))) for _ in range(60)]
    kinds = {"": covariances, "tangent": covariances, "coskewness": third_moments}
    rows = np.stack(list(kinds[fitted](scans)))
    confounds = rng.standard_normal((60, 2))
    train, held = np.arange(45), np.arange(45, 60)
    first = Features(rows, fitted, confounds).rotated(train, held)
    spoilt, odd = rows.copy(), confounds.copy()
    spoilt[50:], odd[50:] = rows[0] * 3, 1000
    again = Features(spoilt, fitted, odd).rotated(train, held)
    np.testing.assert_array_equal(first.train_PR, again.train_PR)
    np.testing.assert_array_equal(first.held_HR[:5], again.held_HR[:5])


def test_the_values_of_test_people_never_reach_the_fit() -> None:
    rng = np.random.default_rng(0)
    features, target = rng.standard_normal((60, 6)), rng.standard_normal(60)
    problem = problem_of(target)
    scores, predictions, _ = score(problem, [Features(features)], QUICK)
    tested = problem.people["random 00"].to_numpy() == TEST
    people = problem.people.assign(target=np.where(tested, 1000.0, target))
    _, again, _ = score(Problem(problem.about, people), [Features(features)], QUICK)
    first = predictions["split"] == "random 00"
    np.testing.assert_array_equal(predictions["predicted"][first], again["predicted"][first])
    assert len(scores) == 4


def test_families_are_not_torn_by_inner_folds() -> None:
    groups = np.repeat(np.arange(20), 3)
    folds = inner_folds("classification", np.arange(60) % 2, groups, 5)
    assert all(len(set(folds[groups == g])) == 1 for g in range(20))
    assert len(set(folds)) == 5


# What is planted is found


def test_a_planted_effect_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    features = rng.standard_normal((200, 50))
    value = features[:, 0] + 0.5 * rng.standard_normal(200)
    assert mean(score(problem_of(value), [Features(features)], QUICK)[0], "pearson_r") > 0.7
    noise = rng.standard_normal(200)
    assert mean(score(problem_of(noise), [Features(features)], QUICK)[0], "r2") < 0.1
    classes = np.where(features[:, 0] > 0, "b", "a")
    found, _, _ = score(problem_of(classes), [Features(features)], QUICK)
    assert mean(found, "balanced_accuracy") > 0.8
    three = np.array(["a", "b", "c"])[np.searchsorted([-0.4, 0.4], features[:, 0])]
    found, _, _ = score(problem_of(three), [Features(features)], QUICK)
    assert mean(found, "balanced_accuracy") > 0.6


def test_the_size_of_an_effect_is_recovered() -> None:
    """With a third of the variance explained, r is √⅓; with classes 2 σ apart, Φ(1) are right."""
    rng = np.random.default_rng(2)
    features = rng.standard_normal((1500, 5))
    value = features[:, 0] + np.sqrt(2) * rng.standard_normal(1500)
    found, _, _ = score(problem_of(value), [Features(features)], QUICK)
    assert mean(found, "pearson_r") == pytest.approx(np.sqrt(1 / 3), abs=0.04)
    ill = rng.random(1500) < 0.3
    features[:, 0] += 2 * ill
    found, _, _ = score(problem_of(np.where(ill, "ill", "well")), [Features(features)], QUICK)
    assert mean(found, "balanced_accuracy") == pytest.approx(stats.norm.cdf(1), abs=0.02)


@pytest.mark.slow
def test_nothing_is_found_in_noise_as_often_as_promised() -> None:
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
        found, _, shuffled = score(problem_of(target), [Features(features)], settings)
        assert shuffled is not None
        about = interval(found, metric, shuffled.deviation)
        p_values.append(shuffled.p)
        covered.append(about["low"] <= chance <= about["high"])
    assert stats.kstest(p_values, "uniform").pvalue > 0.05
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)


def interval(table: pd.DataFrame, metric: str, deviation: float) -> dict[str, float]:
    """What a benchmark says of a representation."""
    about = {"kind": "x", "representation": "x", "features": 1, "shuffled_deviation": deviation}
    kind = "classification" if metric in CLASSIFICATION else "regression"
    task = dict.fromkeys(TASK) | about | {"kind": kind, "p_permutation": None}
    (scheme,) = compare([(task, table)])["schemes"]
    found: dict[str, float] = scheme["representations"][0][metric]
    return found


def test_a_phenotype_that_is_the_site_is_exposed() -> None:
    """Features see sites only, and sites differ in the phenotype: found, until sites are held out.

    Within sites nothing is left either, and after the site has been regressed out.
    """
    rng = np.random.default_rng(4)
    site = np.repeat(np.arange(6), 40)
    features = np.eye(6)[site] + 0.3 * rng.standard_normal((240, 6))
    value = site + rng.standard_normal(240)
    problem = problem_of(value, site=[f"s{s}" for s in site])
    found, _, _ = score(problem, [Features(features)], QUICK)
    assert mean(found, "pearson_r") > 0.6
    assert abs(mean(found, "pearson_r_within_sites")) < 0.15
    assert abs(mean(found, "pearson_r", "site")) < 0.15
    removed = Features(features, "", np.eye(6)[site])
    assert mean(score(problem, [removed], QUICK)[0], "pearson_r") < 0.15


def test_stacking_is_as_good_as_the_better_one_and_uses_both() -> None:
    rng = np.random.default_rng(5)
    first, second = (rng.standard_normal((300, 10)) for _ in range(2))
    noise = rng.standard_normal((300, 40))
    value = first[:, 0] + second[:, 0] + 0.5 * rng.standard_normal(300)
    problem = problem_of(value)

    def r(*parts: np.ndarray) -> float:
        return mean(score(problem, [Features(x) for x in parts], QUICK)[0], "pearson_r")

    assert r(first, second) > max(r(first), r(second)) + 0.15
    assert r(first, noise) > r(first) - 0.02
    classes = problem_of(np.where(value > 0, "a", "b"))
    both, _, _ = score(classes, [Features(first), Features(second)], QUICK)
    one, _, _ = score(classes, [Features(first)], QUICK)
    assert mean(both, "balanced_accuracy") > mean(one, "balanced_accuracy") + 0.05


def test_learning_curves_use_fewer_of_the_same_people() -> None:
    rng = np.random.default_rng(6)
    features = rng.standard_normal((150, 20))
    value = features[:, 0] + rng.standard_normal(150)
    settings = Probe(repeats=3, permutations=0, learning_curve=[0.2, 0.5])
    found, predictions, _ = score(problem_of(value), [Features(features)], settings)
    assert found.groupby("fraction")["train_people"].first().to_dict() == {0.2: 24, 0.5: 60, 1: 120}
    assert found.groupby("fraction")["pearson_r"].mean().is_monotonic_increasing
    assert len(predictions) == 3 * 30  # of the fits with everybody
    classes = problem_of(["a"] * 130 + ["b"] * 20)
    jobs = [job for job in classes.jobs(settings) if job.fraction == 0.5]
    assert all((job.train >= 130).sum() == 8 for job in jobs)


def test_classes_cut_from_a_number_are_cut_by_the_training_people() -> None:
    values = np.arange(100.0)
    problem = problem_of(values)
    about = problem.about | {"kind": "classification", "bins": 4}
    cut = Problem(about, problem.people)
    codes, names = cut.values(np.arange(40))  # the first 40 people have 0 to 39
    assert names == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert np.bincount(codes[:40]).tolist() == [10] * 4
    assert (codes[40:] == 3).all()
    found, _, _ = score(cut, [Features(values[:, None] + 0.1)], QUICK)
    assert mean(found, "accuracy") > 0.7


@pytest.mark.slow
def test_the_protocol_of_the_paper() -> None:
    rng = np.random.default_rng(7)
    ill = np.arange(90) % 2 == 0
    windows = [rng.standard_normal((8, 12)) + 0.8 * i for i in ill]
    problem = problem_of(np.where(ill, "ill", "well"))
    two = QUICK.model_copy(update={"repeats": 2})
    found, predictions = score_windows(problem, windows, two)
    assert mean(found, "balanced_accuracy") > 0.9
    assert set(found["strength"]) <= {3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4}
    again, _ = score_windows(problem, windows, two)
    pd.testing.assert_frame_equal(found, again)
    assert len(predictions) == 2 * 18
    nothing, _ = score_windows(problem, [np.empty((1, 0))] * 90, QUICK)
    assert mean(nothing, "balanced_accuracy") == 0.5
    windows[3][:] = np.nan
    assert mean(score_windows(problem, windows, two)[0], "balanced_accuracy") > 0.85
    with pytest.raises(UserError, match="Cut it into classes with `bins`"):
        score_windows(problem_of(rng.standard_normal(90)), windows, QUICK)


def test_a_small_class_is_found_where_features_outnumber_people() -> None:
    """The intercept of balanced kernel models leans to the large class; it is fitted anew."""
    rng = np.random.default_rng(11)
    rare = np.arange(200) < 30
    features = rng.standard_normal((200, 3000))
    features[:, :60] += rare[:, None]
    problem = problem_of(np.where(rare, "rare", "usual"))
    found, predictions, _ = score(problem, [Features(features)], QUICK)
    assert mean(found, "balanced_accuracy") > 0.65
    assert mean(found, "auroc") > 0.75
    called = (predictions["predicted"] == "rare").mean()
    assert 0.1 < called < 0.45


def test_families_are_not_shuffled_apart() -> None:
    features = np.random.default_rng(12).standard_normal((60, 3))
    group = [f"f{i // 2}" for i in range(60)]
    settings = Probe(repeats=2, permutations=20, learning_curve=[])
    problem = problem_of(features[:, 0], group=group)
    assert score(problem, [Features(features)], settings)[2] is None


def test_ties_and_constants_are_said() -> None:
    tied = problem_of([0.0] * 60 + list(np.arange(1.0, 41)))
    about = tied.about | {"kind": "classification", "bins": 2}
    with pytest.raises(UserError, match="cannot be cut into 2 classes of people: too many have"):
        score(Problem(about, tied.people), [Features(np.ones((100, 1)))], QUICK)
    target = np.zeros(60)
    target[3] = 1
    with pytest.raises(UserError, match="everybody in a training part has the same value"):
        score(problem_of(target), [Features(np.ones((60, 1)))], Probe(permutations=0))


# Pieces


def scan_of(timeseries_CT: np.ndarray) -> Scan:
    scores = timeseries_CT - timeseries_CT.mean(axis=1, keepdims=True)
    return Scan("s", "s", "", "", "", 2.0, scores / scores.std(axis=1, keepdims=True))


def test_scores_of_shuffles_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(8)
    predicted, truth = rng.standard_normal((40, 7)), rng.random((40, 7)) < 0.4
    expected = [roc_auc_score(truth[:, m], predicted[:, m]) for m in range(7)]
    np.testing.assert_allclose(auroc(predicted, truth), expected)
    expected = [np.corrcoef(truth[:, m], predicted[:, m])[0, 1] for m in range(7)]
    np.testing.assert_allclose(pearson(predicted, truth.astype(float)), expected)


def test_tangent_space_is_nilearns_at_another_reference() -> None:
    """At the reference everything is zero, and distances are those of matrix logarithms."""
    matrices = np.stack([make_spd_matrix(5, random_state=i) for i in range(8)])
    rows = triangle(matrices)
    assert np.allclose(square(rows), matrices)
    mean_row = rows.mean(axis=0, keepdims=True)
    train, held = project_tangent(rows, mean_row)
    assert np.allclose(held, 0, atol=1e-10)
    values, vectors = np.linalg.eigh(matrices.mean(axis=0))
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    values = np.linalg.eigvalsh(whitening @ matrices[0] @ whitening)
    assert np.linalg.norm(train[0]) == pytest.approx(np.linalg.norm(np.log(values)))


def test_partial_correlation_sees_through_a_common_source() -> None:
    rng = np.random.default_rng(9)
    source = rng.standard_normal(4000)
    x_CT = np.stack([source, source, source]) + rng.standard_normal((3, 4000))
    x_CT[0] = source + 0.1 * rng.standard_normal(4000)
    found = np.tanh(next(partial_correlation([scan_of(x_CT)])))  # pairs 01, 02, 12
    assert found[0] > 0.5
    assert abs(found[2]) < 0.1
    x_CT[1] = np.nan
    assert np.isnan(next(partial_correlation([scan_of(x_CT)]))).tolist() == [True, False, True]


def test_the_subspace_keeps_what_is_skewed() -> None:
    """Two of six signals are skewed together: the subspace is theirs, the rest is left out."""
    rng = np.random.default_rng(10)
    scans = []
    for _ in range(12):
        x_CT = rng.standard_normal((6, 3000))
        x_CT[:2] += 2 * rng.exponential(size=3000)
        scans.append(scan_of(x_CT))
    rows = np.stack(list(third_moments(scans)))
    x_CT = scans[0].timeseries_CT
    tensor = np.einsum("it,jt,kt->ijk", x_CT, x_CT, x_CT) / 3000
    unfolded = square(rows[0][21:])
    np.testing.assert_allclose(unfolded, np.einsum("ijk,ljk->il", tensor, tensor), rtol=1e-8)
    train, held = project_coskewness(rows, rows[:2], kept=0.9)
    assert train.shape[1] <= 1  # one or two dimensions of six
    assert len(held) == 2


def test_the_phenotype_is_not_among_its_own_predictors() -> None:
    people = People(["a"], np.arange(4.0)[None], ["age", "mean_fd", "sex=F", "sex=M"])
    assert without_target(people, "sex").names == ["age", "mean_fd"]
    assert without_target(people, "sex").features_PF.tolist() == [[0, 1]]
    assert without_target(people, "gender", "SEX").names == ["age", "mean_fd"]
    site = People(["a"], np.arange(2.0)[None], ["age", "site=A"])
    assert without_target(site, "place", "site_id").names == ["age"]
    assert without_target(site, "center", "center", "center").names == ["age"]
    assert without_target(site, "dx", "dx", "center").names == ["age", "site=A"]


# The stage


def test_probe_writes_every_split(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    folder = paths[0].parent
    for name in ("fc", "chance", "tangent"):
        run_represent(name, paths, participants, folder / f"{name}.parquet")
    splits = folder / "s.parquet"
    task = Phenotype(kind="classification")
    scans = folder / "scans.parquet"
    run_split(participants, scans, splits, name="group", phenotype=task, site_column="town")
    settings = Probe(repeats=4, permutations=99, learning_curve=[])
    for name in ("fc", "chance", "tangent"):
        run_probe([folder / f"{name}.parquet"], splits, name, settings, folder / name)
    files = [folder / "fc.parquet", folder / "tangent.parquet"]
    run_probe(files, splits, "fc+tangent", settings, folder / "both")
    tables = {name: read_table(folder / name) for name in ("fc", "chance", "tangent", "both")}
    for name in ("fc", "tangent", "both"):
        assert mean(tables[name], "balanced_accuracy") > 0.9
    assert tables["chance"]["balanced_accuracy"].tolist() == [0.5] * 6
    assert tables["fc"]["scheme"].tolist() == ["random"] * 4 + ["site"] * 2
    assert read_metadata(folder / "fc")["p_permutation"] < 0.05
    assert read_metadata(folder / "chance")["p_permutation"] is None
    predictions = read_table(folder / "fc_predictions.parquet")
    assert len(predictions) == tables["fc"]["test_people"].sum()
    written = (folder / "fc").read_bytes()
    run_probe([folder / "fc.parquet"], splits, "fc", settings, folder / "fc")
    assert (folder / "fc").read_bytes() == written


def test_more_repeats_leave_the_first_as_they_are(cohort: tuple[list[Path], Path]) -> None:
    paths, participants = cohort
    folder = paths[0].parent
    run_represent("fc", paths, participants, folder / "fc.parquet")
    splits, task = folder / "s.parquet", Phenotype(kind="regression")
    run_split(participants, folder / "scans.parquet", splits, name="trait", phenotype=task)
    scores = []
    for repeats in (2, 3):
        settings = Probe(repeats=repeats, permutations=0, learning_curve=[])
        run_probe([folder / "fc.parquet"], splits, "fc", settings, folder / "x")
        scores.append(read_table(folder / "x")["pearson_r"].tolist())
    assert scores[0] == scores[1][:2]


def test_too_few_people_for_the_inner_folds() -> None:
    target = np.array(["a"] * 10 + ["b"] * 4)
    with pytest.raises(UserError, match="4 people in its smallest class, 5 are needed"):
        check_folds("classification", target, "dx", 5)
