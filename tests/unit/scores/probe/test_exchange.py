"""Whose values are exchanged in a permutation test."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.config import Probe
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.exchange import exchange_of
from semantoks.scores.probe.features import Features
from tests.unit.scores.conftest import problem_of

PERSON = np.repeat(np.arange(6), [3, 3, 2, 2, 1, 1])
FAMILY = np.array([0, 0, 1, 1, 2, 3])[PERSON]


def orders(how: str, target: np.ndarray, *groups: np.ndarray | None) -> np.ndarray:
    exchange = exchange_of(target, *groups)
    assert exchange.how == how
    return np.stack(list(exchange.orders(50, np.random.default_rng(0))))


def test_everybody_is_exchanged_with_everybody() -> None:
    """Bit for bit as `Generator.permutation`, on which earlier p-values rest."""
    rng = np.random.default_rng(0)
    expected = np.stack([rng.permutation(5) for _ in range(50)])
    assert np.array_equal(orders("participants", np.arange(5), None, None), expected)
    assert np.array_equal(orders("participants", np.arange(5), None, np.arange(5)), expected)


def test_what_varies_within_people_stays_within_them() -> None:
    drawn = orders("within people", np.arange(12), PERSON, FAMILY)
    assert (PERSON[drawn] == PERSON).all()
    assert (np.sort(drawn, axis=1) == np.arange(12)).all()
    assert len(np.unique(drawn, axis=0)) > 25


def test_what_is_constant_in_people_moves_with_them() -> None:
    target = np.array([5, 3, 9, 1, 7, 2])[PERSON]
    drawn = orders("people", target, PERSON, PERSON)
    for order in drawn:
        values = target[order]
        assert all(len(set(values[person == PERSON])) == 1 for person in range(6))
        assert {values[person == PERSON][0] for person in range(6)} == set(target)
    assert len(np.unique(target[drawn], axis=0)) > 40


def test_families_whose_members_agree_move_as_wholes() -> None:
    target = np.array(["a", "b", "a", "c"])[FAMILY]
    for order in orders("families", target, PERSON, FAMILY):
        values = target[order]
        by_family = [set(values[family == FAMILY]) for family in range(4)]
        assert all(len(member) == 1 for member in by_family)
        assert sorted(name for member in by_family for name in member) == ["a", "a", "b", "c"]


def test_families_of_one_size_are_exchanged_and_their_members() -> None:
    family = np.array([0, 0, 0, 1, 1, 2, 2, 3, 4])
    drawn = orders("within families", np.arange(9), None, family)
    assert (np.sort(drawn, axis=1) == np.arange(9)).all()
    for order in drawn:
        moved = family[order]
        assert (moved[:3] == 0).all()  # the only one of three
        assert len(set(moved[3:5])) == len(set(moved[5:7])) == 1
        assert set(moved[3:7]) == {1, 2} and set(moved[7:]) == {3, 4}
    assert {tuple(family[order][3:5]) for order in drawn} == {(1, 1), (2, 2)}


@pytest.mark.parametrize("varies", [True, False])
def test_p_values_of_blocks_without_effect_are_uniform(varies: bool) -> None:
    """Features that tell people apart would predict what is constant in them."""
    settings = Probe(repeats=1, permutations=19, learning_curve=[], strengths=[1e-2], inner_folds=2)
    p = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        person = np.repeat(np.arange(16), 4)
        features = rng.standard_normal((16, 6))[person] + rng.standard_normal((64, 6)) / 2
        of_person, of_block = rng.standard_normal(16)[person], rng.standard_normal(64)
        names = [f"sub-{number}" for number in person]
        target = of_person + of_block if varies else of_person
        problem = problem_of(target, group=names, person=names)
        test = score_features(problem, [Features(features)], settings).permutation_test
        assert test is not None and bool(len(test.shuffled)) is not varies
        p.append(test.p)
    assert np.mean(np.array(p) <= 0.1) < 0.25 and 0.4 < np.mean(p) < 0.65


def test_an_effect_within_people_is_found_in_spite_of_their_differences() -> None:
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(20), 6)
    of_block = rng.standard_normal(120)
    features = np.c_[of_block + rng.standard_normal(120), rng.standard_normal((120, 4))]
    names = [f"sub-{number}" for number in person]
    problem = problem_of(of_block + 2 * rng.standard_normal(20)[person], group=names, person=names)
    settings = Probe(repeats=3, permutations=99, learning_curve=[0.5])
    result = score_features(problem, [Features(features)], settings)
    assert result.permutation_test is not None and result.permutation_test.p == 0.01
    # Half of the people, with all of their blocks.
    half = result.scores.loc[result.scores["fraction"] == 0.5, "train_people"]
    assert (half == 8 * 6).all()
