from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Phenotype, Splitting
from semantoks.errors import UserError
from semantoks.scores.split.checks import check_leakage
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED, VALIDATION
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


def blocks_table(blocks: list[int], targets: list[float] | None = None) -> pd.DataFrame:
    """People with so many blocks each, of two classes in turn."""
    person = [f"sub-{i:02d}" for i, count in enumerate(blocks) for _ in range(count)]
    table = participants_table(targets or ["a", "b"] * (len(person) // 2), group=person)
    return table.assign(person=person)


def test_sizes_of_parts_are_numbers_of_people() -> None:
    table = blocks_table([2, 4, 6, 8] * 10)
    phenotype = Phenotype(
        kind="classification", train_people=20, validation_people=5, test_people=10
    )
    for split in draw(table, phenotype, Splitting()):
        people = table["person"].groupby(split.codes).nunique()
        assert people[[TRAIN, VALIDATION, TEST]].tolist() == [20, 5, 10]
        assert (pd.Series(split.codes).groupby(table["person"].to_numpy()).nunique() == 1).all()


def test_numbers_of_few_people_need_not_be_of_every_quantile() -> None:
    """Ten people have three in the test part, with twelve blocks, and numbers four quantiles."""
    targets = [float(i) for i in range(10) for _ in range(4)]
    table = blocks_table([4] * 10, targets)
    splits = draw(table, REGRESSION, Splitting())
    check_leakage(splits, table)
    assert all(table["person"][split.is_test].nunique() == 3 for split in splits)


def test_a_file_of_splits_names_people(tmp_path: Path) -> None:
    table = blocks_table([4] * 5)
    file = tmp_path / "splits.tsv"
    parts = ["train", "train", "validation", "test", ""]
    rows = [f"sub-{i:02d}\t{part}" for i, part in enumerate(parts)]
    file.write_text("participant_id\tofficial\n" + "\n".join(rows) + "\n")
    phenotype = Phenotype(kind="classification", splits_file=str(file))
    (split,) = draw(table, phenotype, Splitting())
    assert split.codes.tolist() == [TRAIN] * 8 + [VALIDATION] * 4 + [TEST] * 4 + [UNUSED] * 4
