import numpy as np
import pandas as pd
import pytest

from semantoks.config import Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.checks import check_leakage
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import TEST, TRAIN, VALIDATION
from tests.unit.scores.split.conftest import CLASSIFICATION, REGRESSION, participants_table


def test_families_stay_together() -> None:
    group = [f"f{i // 4}" if i < 60 else None for i in range(80)]
    table = participants_table(["a", "b"] * 40, group=group)
    splits = draw(table, CLASSIFICATION, Splitting())
    check_leakage(splits, table)
    for split in splits:
        assert 10 <= split.is_test.sum() <= 22
        parts_of_families = pd.Series(split.is_test[:60]).groupby(group[:60]).nunique()
        assert (parts_of_families == 1).all()


def test_families_of_any_size_are_tested_about_equally_often() -> None:
    sizes = [1] * 40 + [2] * 25 + [3] * 4 + [4] * 2
    group = [f"f{i}" for i, size in enumerate(sizes) for _ in range(size)]
    rng = np.random.default_rng(0)
    table = participants_table(list(rng.standard_normal(len(group))), group=group)
    tested = np.mean([s.is_test for s in draw(table, REGRESSION, Splitting())], axis=0)
    assert tested.min() > 0.05 and tested.max() < 0.45
    assert tested.mean() == pytest.approx(0.2, abs=0.03)
    phenotype = Phenotype(kind="regression", train_people=30, validation_people=10, test_people=20)
    for split in draw(table, phenotype, Splitting()):
        for code, size in ((TRAIN, 30), (VALIDATION, 10), (TEST, 20)):
            assert size <= (split.codes == code).sum() <= size + 3


def test_validation_has_its_share_of_every_class() -> None:
    group = [f"f{i // 2}" for i in range(120)]
    table = participants_table(["a"] * 90 + ["b"] * 30, group=group)
    splits = draw(table, CLASSIFICATION, Splitting())
    is_b = (table["target"] == "b").to_numpy()
    shares = [is_b[split.codes == VALIDATION].mean() for split in splits]
    assert np.abs(np.array(shares) - 0.25).max() < 0.15


def test_a_single_family_cannot_be_split() -> None:
    table = participants_table(list(np.arange(30.0)), group=["x"] * 30)
    with pytest.raises(UserError, match="1 families are too few"):
        draw(table, REGRESSION, Splitting())
