from __future__ import annotations

import numpy as np
import pytest

from semantoks.errors import UserError
from semantoks.scores.probe.targets import classes_of, quantile_classes


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


def test_ties_that_leave_a_class_empty_are_an_error() -> None:
    values = np.array([0.0] * 60 + list(np.arange(1.0, 41)))
    with pytest.raises(UserError, match="cannot be binned into 2 classes: too many participants"):
        quantile_classes(values, np.arange(100), 2, "x")
