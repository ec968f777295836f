"""Several phenotypes scored together, as each alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Phenotype, Probe, Splitting
from semantoks.scores.probe import exact
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features, score_phenotypes
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import PlacedProblem, Problem, TaskMetadata
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import codes_table

PEOPLE = 60
SETTINGS = Probe(repeats=3, permutations=19, learning_curve=[0.5])


def shared_problem(name: str, target: Any) -> Problem:
    """A problem of those with a value, with the splits of everybody."""
    ids = [f"sub-{number:04d}" for number in range(PEOPLE)]
    everybody = pd.DataFrame({"site": None, "group": None}, ids)
    rows = everybody.assign(target=target).dropna(subset="target")
    kind = "classification" if isinstance(rows["target"].iloc[0], str) else "regression"
    splits = draw(rows, Phenotype(kind=kind), Splitting(), everybody)
    table = pd.concat([rows, codes_table(splits, rows.index)], axis=1)
    metadata = {
        "phenotype": name,
        "kind": kind,
        "bins": None,
        "splits": [split.record() for split in splits],
    }
    return Problem(TaskMetadata.from_json(metadata), table)


def placed(problem: Problem) -> PlacedProblem:
    """The problem with its rows among everybody."""
    return PlacedProblem(problem, np.array([int(name[4:]) for name in problem.ids]))


def assert_equal(first: ProbeResult, second: ProbeResult) -> None:
    pd.testing.assert_frame_equal(first.scores, second.scores, rtol=1e-6)
    pd.testing.assert_frame_equal(first.predictions, second.predictions, rtol=1e-4, atol=1e-6)
    assert first.permutation_test is not None and second.permutation_test is not None
    assert first.permutation_test.p == second.permutation_test.p
    assert np.array_equal(first.permutation_test.shuffled, second.permutation_test.shuffled)


@pytest.mark.parametrize("combined", [False, True])
def test_scores_are_those_of_each_phenotype_alone(
    combined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two have the same people and share the decomposition, and one has fewer people."""
    rng = np.random.default_rng(0)
    age, iq = rng.standard_normal((2, PEOPLE))
    sex = np.where(age > 0, "a", "b").astype(object)
    known = [*age[:40], *[None] * 20]
    targets = {"age": age, "sex": sex, "iq": iq, "known": known}
    problems = {name: shared_problem(name, target) for name, target in targets.items()}
    values_PF = rng.standard_normal((PEOPLE, 90)) + age[:, None]
    parts = [values_PF, values_PF[:, :5]][: 1 + combined]
    alone = {
        name: score_features(
            problem,
            [Features(part[placed(problem).rows_P]) for part in parts],
            SETTINGS,
            combined=combined,
        )
        for name, problem in problems.items()
    }
    decompositions = []

    def counted(*inputs: Any) -> Any:
        decompositions.append(inputs)
        return summed(*inputs)

    summed = exact.summed
    monkeypatch.setattr(exact, "summed", counted)
    together = score_phenotypes(
        [placed(problem) for problem in problems.values()],
        [Features(part) for part in parts],
        SETTINGS,
        combined=combined,
    )
    for name, result in zip(problems, together, strict=True):
        assert_equal(result, alone[name])
    # Of each split: the whole, half of the people for numbers and for classes; and of fewer people.
    assert len(decompositions) == SETTINGS.repeats * (3 + 2)


def test_splits_are_shared_by_those_who_have_a_value() -> None:
    age = np.random.default_rng(0).standard_normal(PEOPLE)
    every, some = shared_problem("a", age), shared_problem("b", [None, *age[1:50], *[None] * 10])
    columns = [split.name for split in every.metadata.splits]
    assert columns == [split.name for split in some.metadata.splits] and len(columns) == 100
    assert some.participants[columns].equals(every.participants.loc[some.ids, columns])
