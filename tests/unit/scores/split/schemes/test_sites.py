from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.config import Phenotype, Splitting
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED
from semantoks.scores.split.schemes.sites import site_splits
from semantoks.scores.split.targets import in_fixed_classes
from tests.unit.scores.split.conftest import CLASSIFICATION, REGRESSION, participants_table

SITE = ["A"] * 20 + ["B"] * 20 + ["C"] * 4 + [None] * 4 + ["D"] * 12
TABLE = participants_table(["a", "b"] * 24 + ["a"] * 12, site=SITE)


def test_sites_are_held_out_in_turn() -> None:
    splits = [s for s in draw(TABLE, CLASSIFICATION, Splitting()) if s.scheme == "site"]
    assert [split.held_out for split in splits] == ["A", "B"]  # C is too small, D has one class
    codes = splits[0].codes
    assert splits[0].name == "site A"
    assert (codes[:20] == TEST).all()
    assert (codes[44:48] == UNUSED).all()
    assert (codes == TRAIN).sum() == 36


def test_a_site_with_few_participants_of_a_class_is_not_held_out() -> None:
    """Half of its balanced accuracy would be decided by one participant."""
    site = ["A"] * 20 + ["B"] * 20 + ["C"] * 20
    table = participants_table(["a", "b"] * 20 + ["a"] * 19 + ["b"], site=site)
    splits = [s for s in draw(table, CLASSIFICATION, Splitting()) if s.scheme == "site"]
    assert [split.held_out for split in splits] == ["A", "B"]


def test_relatives_of_test_participants_at_other_sites_are_unused() -> None:
    relatives = TABLE.assign(group=["x", *[None] * 28, "x", *[None] * 30])
    splits = {split.name: split for split in draw(relatives, CLASSIFICATION, Splitting())}
    assert splits["site A"].codes[29] == UNUSED


def test_of_blocks_people_count() -> None:
    """Site C has 20 blocks of two people, which is enough blocks and too few people."""
    site = ["A"] * 24 + ["B"] * 24 + ["C"] * 20
    person = [f"p{n // 2}" for n in range(48)] + ["x"] * 10 + ["y"] * 10
    table = participants_table(["a", "b"] * 34, site=site).assign(person=person)
    table["group"] = table["person"]
    splits = [s for s in draw(table, CLASSIFICATION, Splitting()) if s.scheme == "site"]
    assert [split.held_out for split in splits] == ["A", "B"]


@pytest.mark.parametrize("classes", [{"edges": [50]}, {"bins": 2, "cut": "once"}, {"bins": 2}])
def test_classes_of_numbers_count_as_named_ones(classes: dict[str, Any]) -> None:
    """Site C is old, E is young, and D has two young people, however the classes are made."""
    ages = np.concatenate(
        [np.tile([30, 70], 40), np.full(20, 75), [31] * 2, [71] * 18, np.full(36, 32)]
    )
    phenotype = Phenotype(kind="classification", **classes)
    target = in_fixed_classes(pd.Series(ages + np.arange(156) / 200), "age", phenotype)
    site = ["A"] * 40 + ["B"] * 40 + ["C"] * 20 + ["D"] * 20 + ["E"] * 36
    splits = site_splits(participants_table(target.to_list(), site=site), phenotype)
    assert [split.held_out for split in splits] == ["A", "B"]


def test_a_site_is_not_held_out_if_the_others_cannot_be_cut_into_bins() -> None:
    """Without site A, all have the same value."""
    table = participants_table([30.0, 70.0] * 20 + [50.0] * 40, site=["A"] * 40 + ["B"] * 40)
    assert site_splits(table, Phenotype(kind="classification", bins=2)) == []


def test_sites_of_numbers_need_no_classes() -> None:
    table = participants_table([75.0] * 20 + [30.0, 70.0] * 10, site=["A"] * 20 + ["B"] * 20)
    assert [split.held_out for split in site_splits(table, REGRESSION)] == ["A", "B"]
