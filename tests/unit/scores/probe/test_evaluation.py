from __future__ import annotations

import numpy as np

from semantoks.scores.probe.evaluation import evaluate
from tests.unit.scores.conftest import QUICK, problem_of


def test_predictions_are_listed_by_test_participant() -> None:
    problem = problem_of(["a", "b"] * 20)
    partition = next(problem.partitions(QUICK))
    targets = problem.targets(partition.train)
    probabilities = np.tile([0.7, 0.3], (len(partition.test), 1))
    row, table = evaluate(problem, partition, targets, probabilities, is_balanced=True)
    assert list(row)[:6] == [
        "split", "scheme", "held_out", "fraction", "train_people", "test_people"
    ]  # fmt: skip
    assert row["accuracy"] == 0.5
    assert table["participant_id"].tolist() == list(problem.participants.index[partition.test])
    assert set(table["predicted"]) == {"a"}
    assert table["probabilities"][0].tolist() == [0.7, 0.3]


def test_within_site_correlation_uses_participants_with_a_site() -> None:
    """The phenotype is predicted by site alone; participants without a site would hide that."""
    site = [["s", "t", None][i % 3] for i in range(60)]
    value = np.array([{"s": 0.0, "t": 10.0, None: 5.0}[name] for name in site])
    problem = problem_of(value + np.arange(60) / 100, site=site)
    partition = next(p for p in problem.partitions(QUICK) if p.split.scheme == "random")
    targets = problem.targets(partition.train)
    row, table = evaluate(
        problem, partition, targets, value[partition.test, None], is_balanced=True
    )
    assert row["pearson_r"] > 0.99
    assert np.isnan(float(row["pearson_r_within_sites"]))
    assert table["predicted"].tolist() == value[partition.test].tolist()
