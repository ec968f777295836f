from semantoks.config import Splitting
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import TEST, TRAIN, UNUSED
from tests.unit.scores.split.conftest import CLASSIFICATION, participants_table

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
