"""A phenotype that lives in one network is found there, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.representations import FeatureBlock
from semantoks.config import Probe
from semantoks.scores.network_importance.columns import column_networks
from semantoks.scores.network_importance.losses import METRICS, losses_by_split
from semantoks.scores.network_importance.summary import summarise
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem, SplitDescription, TaskMetadata
from semantoks.scores.split.parts import TEST, TRAIN

NETWORK_C = np.repeat(["A", "B", "C", "D"], 4)
PEOPLE, SPLITS = 160, 8
SETTINGS = Probe(
    permutations=0, learning_curve=[], repeats=SPLITS, strengths=[1e-2, 1e-1, 1.0], inner_folds=4
)


def make_problem(target: np.ndarray, kind: str) -> Problem:
    rng = np.random.default_rng(5)
    names = [f"random {number:02d}" for number in range(SPLITS)]
    splits = [SplitDescription(name, "random", "") for name in names]
    parts = {name: np.where(rng.permutation(PEOPLE) < 40, TEST, TRAIN) for name in names}
    table = pd.DataFrame({"target": target, "site": None, "group": None, **parts})
    return Problem(TaskMetadata("trait", kind, None, splits), table)  # type: ignore[arg-type]


def planted(content: str) -> tuple[Features, np.ndarray]:
    """Features of which those of network C alone (of pairs, B with C) hold the trait."""
    rng = np.random.default_rng(7)
    trait = rng.standard_normal(PEOPLE)
    sizes = {"networks": 20, "fc": 120}
    blocks = ()
    if content == "full":
        blocks = (FeatureBlock("networks", 20, 0.2), FeatureBlock("coupling", 136))
    size = sizes.get(content, 156)
    values = rng.standard_normal((PEOPLE, size))
    columns = column_networks(content, blocks, size, NETWORK_C.tolist())  # type: ignore[arg-type]
    name = ("C",) if content == "networks" else ("B", "C")
    (part,) = (part for part in columns.parts() if part.networks == name)
    values[:, part.columns_F] += 0.8 * trait[:, None]
    return Features(values, blocks=blocks), trait


def losses(content: str, kind: str) -> tuple[pd.DataFrame, Problem, Features]:
    features, trait = planted(content)
    target = trait if kind == "regression" else np.where(trait > 0, "high", "low")
    problem, size = make_problem(target, kind), features.values_PF.shape[1]
    columns = column_networks(content, features.blocks, size, NETWORK_C.tolist())  # type: ignore[arg-type]
    rows = losses_by_split(problem, features, SETTINGS, list(columns.parts()))
    return rows, problem, features


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_network_that_holds_the_phenotype(kind: str) -> None:
    rows, *_ = losses("networks", kind)
    table = summarise(rows, METRICS[kind])
    assert table["network"].iloc[0] == "C" and (table["other"] == "").all()
    for how in ("left_out", "shuffled"):
        first, others = table.iloc[0], table.iloc[1:]
        assert first[f"{how}_low"] > 0.2 and first[f"{how}_p"] < 0.01
        assert (others[f"{how}_low"] <= 0).all() and (others[f"{how}_high"] >= 0).all()
    # Without it nothing is left but chance.
    chance = 0.5 if kind == "classification" else 0.0
    c = rows[rows["network"] == "C"]
    assert c["left_out"].mean() == pytest.approx(chance, abs=0.1)
    assert c["shuffled"].mean() == pytest.approx(chance, abs=0.1)
    assert table["score"].iloc[0] > chance + 0.3


@pytest.mark.parametrize("content", ["fc", "full"])
def test_the_pair_of_networks_that_holds_the_phenotype(content: str) -> None:
    table = summarise(losses(content, "regression")[0], "pearson_r")
    networks, pairs = (table[(table["other"] != "") == is_pair] for is_pair in (False, True))
    assert len(networks) == 4 and len(pairs) == 10
    assert pairs.iloc[0][["network", "other"]].tolist() == ["B", "C"]
    assert set(networks["network"].iloc[:2]) == {"B", "C"}
    for how in ("left_out", "shuffled"):
        assert pairs[f"{how}_low"].iloc[0] > 0.2 and (networks[f"{how}_low"].iloc[:2] > 0.2).all()
        for others in (pairs.iloc[1:], networks.iloc[2:]):
            assert (others[f"{how}_p"] > 0.05).all()
            assert others[f"{how}_loss"].abs().max() < 0.05


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_scores_are_those_of_the_probe(kind: str) -> None:
    """With all columns, and after the columns were taken out of the features themselves."""
    rows, problem, features = losses("fc", kind)
    part = rows[(rows["network"] == "A") & (rows["other"] == "")].reset_index(drop=True)
    columns = column_networks("fc", (), 120, NETWORK_C.tolist())
    mask = next(columns.parts()).columns_F
    metric = METRICS[kind]
    whole = score_features(problem, [features], SETTINGS).scores[metric]
    without = score_features(problem, [Features(features.values_PF[:, ~mask])], SETTINGS).scores
    assert part["score"].to_list() == pytest.approx(whole.to_list(), abs=1e-3)
    assert part["left_out"].to_list() == pytest.approx(without[metric].to_list(), abs=1e-3)


def test_shuffled_scores_are_those_of_shuffled_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shuffle the columns of the test participants by hand, and predict with the same fit."""
    module = "semantoks.scores.network_importance.losses"
    order = np.random.default_rng(3).permutation(40)
    orders: Callable[[int, int], list[np.ndarray]] = lambda people, shuffles: [order]  # noqa: E731
    monkeypatch.setattr(f"{module}.shuffled_orders", orders)
    rows, problem, features = losses("fc", "classification")
    first = rows[rows["split"] == "random 00"].iloc[1]  # network B
    mask = list(column_networks("fc", (), 120, NETWORK_C.tolist()).parts())[1].columns_F
    test = np.flatnonzero(problem.participants["random 00"] == TEST)
    values = features.values_PF.copy()
    values[np.ix_(test, mask)] = values[np.ix_(test[order], mask)]
    scores = score_features(problem, [Features(values)], SETTINGS).scores
    assert first["network"] == "B"
    assert first["shuffled"] == pytest.approx(scores["auroc"].iloc[0], abs=1e-3)


def test_learning_curves_have_no_part_in_it() -> None:
    """The command line may be given the settings of the probe, which have curves by default."""
    features, trait = planted("networks")
    problem = make_problem(trait, "regression")
    columns = column_networks("networks", (), 20, NETWORK_C.tolist())
    parts, curved = list(columns.parts()), SETTINGS.model_copy(update={"learning_curve": [0.5]})
    rows = [losses_by_split(problem, features, probe, parts) for probe in (SETTINGS, curved)]
    pd.testing.assert_frame_equal(*rows)
