import numpy as np
import pytest

from semantoks.config import Splitting
from semantoks.errors import UserError
from semantoks.scores.split.checks import check_classes, check_leakage
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import TEST, TRAIN, Split
from tests.unit.scores.split.conftest import CLASSIFICATION, participants_table


def test_every_class_must_be_tested_in_every_split() -> None:
    table = participants_table(["a"] * 95 + ["b"] * 5)
    check_classes(draw(table, CLASSIFICATION, Splitting()), table["target"])
    splits = draw(table, CLASSIFICATION, Splitting(test_fraction=0.05))
    with pytest.raises(UserError, match="does not have all 2 classes"):
        check_classes(splits, table["target"])


def test_a_family_in_training_and_test_is_refused() -> None:
    table = participants_table(["a", "b"] * 40, group=[f"f{i // 4}" for i in range(80)])
    codes = np.where(np.arange(80) % 2, TEST, TRAIN).astype(np.int8)
    with pytest.raises(UserError, match="trains on relatives of test participants"):
        check_leakage([Split("fixed x", "fixed", codes)], table)
