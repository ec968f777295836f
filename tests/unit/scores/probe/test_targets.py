from __future__ import annotations

import numpy as np
import pytest

from semantoks.errors import UserError
from semantoks.scores.probe.targets import (
    ClassificationTargets,
    RegressionTargets,
    check_training_part,
    classes_of,
    inner_folds,
    quantile_classes,
)


def test_classes_are_encoded_in_alphabetical_order() -> None:
    targets = classes_of(np.array(["b", "a", "c", "a"]))
    assert targets.class_names == ["a", "b", "c"]
    assert targets.codes_P.tolist() == [1, 0, 2, 0]
    assert targets.counts.tolist() == [2, 1, 1]
    assert targets.take(np.array([3, 2])).codes_P.tolist() == [0, 2]


def test_numbers_are_binned_at_quantiles_of_the_training_participants() -> None:
    train = np.arange(40)  # with values from 0 to 39
    targets = quantile_classes(np.arange(100.0), train, 4, "x")
    assert targets.class_names == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert np.bincount(targets.codes_P[:40]).tolist() == [10] * 4
    assert (targets.codes_P[40:] == 3).all()


@pytest.mark.parametrize(
    ("values", "bins", "tied"),
    [
        ([0.0] * 60 + list(np.arange(1.0, 41)), 2, 0),  # the edge is the smallest value
        (list(np.arange(40.0)) + [50.0] * 60, 4, 50),  # two edges are the same
        ([0.0] * 19 + [1.0] * 20 + [2.0] * 7 + [3.0] * 11, 3, 1),  # no value is between two edges
    ],
)
def test_ties_that_leave_a_class_empty_are_an_error(
    values: list[float], bins: int, tied: int
) -> None:
    message = f"cannot be binned into {bins} classes: too many participants have the value {tied}"
    with pytest.raises(UserError, match=message):
        quantile_classes(np.array(values), np.arange(len(values)), bins, "x")


def test_inner_folds_keep_families_together() -> None:
    groups = np.repeat(np.arange(20), 3)
    folds = inner_folds(ClassificationTargets(np.arange(60) % 2, ["a", "b"]), groups, 5)
    assert all(len(set(folds[groups == g])) == 1 for g in range(20))
    assert len(set(folds)) == 5


def test_inner_folds_are_stratified_by_class() -> None:
    codes = np.r_[np.zeros(40, int), np.ones(10, int)]
    folds = inner_folds(ClassificationTargets(codes, ["a", "b"]), None, 5)
    assert all((codes[folds == fold] == 1).sum() == 2 for fold in range(5))


def test_too_few_participants_for_the_inner_folds() -> None:
    targets = classes_of(np.array(["a"] * 10 + ["b"] * 4))
    with pytest.raises(UserError, match="4 participants in its smallest class, .* 5` needs 5"):
        check_training_part(targets, "dx", 5)
    with pytest.raises(UserError, match="9 participants in total, .* 5` needs 10"):
        check_training_part(RegressionTargets(np.arange(9.0)), "x", 5)
    check_training_part(RegressionTargets(np.arange(10.0)), "x", 5)


def test_a_constant_training_part_is_an_error() -> None:
    with pytest.raises(UserError, match="all participants of a training part have the same value"):
        check_training_part(RegressionTargets(np.zeros(60)), "x", 5)


def test_a_class_without_training_participants_is_an_error() -> None:
    """Only sites that are left out may have a class of their own, of whom nobody is tested."""
    targets = ClassificationTargets(np.repeat([0, 2], 10), ["a", "b", "c"])
    with pytest.raises(UserError, match="0 participants in its smallest class"):
        check_training_part(targets, "x", 5)
    check_training_part(targets, "x", 5, of_site=True)
    with pytest.raises(UserError, match="10 participants in its smallest class"):
        check_training_part(targets, "x", 11, of_site=True)
