from __future__ import annotations

import numpy as np

from semantoks.config import Probe
from semantoks.scores.probe.problem import Problem, SplitDescription, TaskMetadata
from semantoks.scores.probe.targets import ClassificationTargets
from tests.unit.scores.conftest import problem_of


def test_metadata_are_read_from_json_and_repeated_without_splits() -> None:
    task = {"phenotype": "dx", "kind": "classification", "bins": None, "cut": "training"}
    task |= {"edges": [50.0], "left_out": {"people": 2}}
    splits = [{"split": "site A", "scheme": "site", "held_out": "A"}]
    metadata = TaskMetadata.from_json(task | {"splits": splits})
    assert metadata.splits == [SplitDescription("site A", "site", "A")]
    written = metadata.to_json()
    assert written == task | {"determined_by": []}
    assert list(written) == [*task, "determined_by"]  # the order is that of the file


def test_a_partition_has_the_parts_of_its_split() -> None:
    problem = problem_of(["a", "b"] * 30, site=["s", "t", "u"] * 20)
    settings = Probe(repeats=2, learning_curve=[0.5])
    partitions = list(problem.partitions(settings))
    described = [(p.split.name, p.fraction) for p in partitions]
    random = [(f"random {i:02d}", fraction) for i in range(2) for fraction in (0.5, 1.0)]
    assert described == random + [(f"site {name}", 1.0) for name in "stu"]
    for partition in partitions:
        assert not np.intersect1d(partition.train, partition.test).size
        if partition.fraction == 1:
            assert np.isin(partition.validation, partition.train).all()
            assert partition.split.scheme == "site" or len(partition.validation) == 12


def test_first_seconds_are_not_scored_on_sites() -> None:
    problem = problem_of(["a", "b"] * 30, site=["s", "t", "u"] * 20)
    settings = Probe(repeats=2, seconds=[60]).of_row("fc@60s")
    partitions = list(problem.partitions(settings))
    assert [(p.split.name, p.fraction) for p in partitions] == [("random 00", 1), ("random 01", 1)]


def test_learning_curves_are_nested_and_keep_the_ratio_of_classes() -> None:
    problem = problem_of(["a"] * 130 + ["b"] * 20)
    settings = Probe(repeats=3, learning_curve=[0.5, 0.7])
    partitions = list(problem.partitions(settings))
    halves = [p for p in partitions if p.fraction == 0.5]
    assert len(halves) == 3
    assert all((half.train >= 130).sum() == 8 for half in halves)
    for half in halves:
        larger = [p for p in partitions if p.split == half.split]
        assert all(np.isin(half.train, partition.train).all() for partition in larger)


def test_participants_without_a_family_are_groups_of_their_own() -> None:
    drawn = problem_of(np.arange(20.0))
    participants = drawn.participants.assign(group=["f", "f", *[None] * 18])
    problem = Problem(drawn.metadata, participants)
    groups = problem.groups(np.arange(5))
    assert groups is not None
    assert groups[0] == groups[1]
    assert len(set(groups)) == 4
    assert problem.groups(np.arange(2, 20)) is None


def test_class_sizes() -> None:
    assert problem_of(["b"] * 12 + ["a"] * 20).class_sizes() == {"a": 20, "b": 12}
    assert problem_of(np.arange(20.0), bins=2).class_sizes() == {"1 of 2": 10, "2 of 2": 10}
    assert problem_of(np.arange(20.0)).class_sizes() is None


def test_classes_between_fixed_edges_are_the_same_for_any_training_part() -> None:
    """They stand in the order of the numbers, not of the alphabet."""
    names = ["below 5", "5 to below 12", "12 and above"]
    drawn = problem_of([names[0]] * 20 + [names[1]] * 10 + [names[2]] * 10)
    task = {"phenotype": "age", "kind": "classification", "bins": None, "splits": []}
    metadata = TaskMetadata.from_json(task | {"edges": [5, 12]})
    problem = Problem(metadata, drawn.participants)
    assert problem.class_sizes() == dict(zip(names, (20, 10, 10), strict=True))
    targets = problem.targets(np.arange(3))
    assert isinstance(targets, ClassificationTargets)
    assert targets.codes_P.tolist() == [0] * 20 + [1] * 10 + [2] * 10


def test_classes_that_were_cut_once_are_in_order() -> None:
    names = [f"{i + 1} of 10" for i in range(10)]
    drawn = problem_of(names * 5)
    task = {"phenotype": "age", "kind": "classification", "bins": 10, "splits": []}
    problem = Problem(TaskMetadata.from_json(task | {"cut": "once"}), drawn.participants)
    assert list(problem.class_sizes() or ()) == names
