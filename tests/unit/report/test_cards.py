import pytest

from semantoks.config import Report
from semantoks.report.cards import card_section
from semantoks.scores.card.contents import BlockCard, Card, Leakage, Retest


def section(identified: float, people: int, settings: Report) -> tuple[float, float]:
    """Chance and share of identified sessions as the page shows them."""
    retest = Retest(people=people, identification=identified, chance=1 / people, icc=0.5)
    shown = card_section("toy", {"fc": Card(leakage=[], retest=retest)}, [], settings)
    (row,) = shown.rows
    assert shown.retest is not None and row.retest is not None
    return shown.retest.chance, row.retest.identification


def test_blocks_stand_below_their_representation() -> None:
    """Rounded as everything on the page."""
    leak = Leakage(
        what="age", metric="pearson_r", people=123, chance=0, mean=0.12345, sd=1, low=0, high=1
    )
    block = BlockCard(leakage=[leak], retest=None, people_without_features=7)
    cards = {"full": Card(leakage=[], retest=None, blocks={"amplitude": block})}
    shown = card_section("toy", cards, [], Report())
    rows = [(row.representation, row.block, row.without_features) for row in shown.rows]
    assert rows == [("full", "", None), ("full", "amplitude", 5)]
    assert shown.rows[1].covariates == {"age": 0.123}
    assert list(shown.covariates) == ["age"]
    # What has no column is named: a phenotype may go with it all the same.
    assert shown.absent == ["site", "TR", "head motion", "scan length", "sex"]


def test_what_combat_leaves_stands_below_each_row() -> None:
    def leak(mean: float) -> Leakage:
        numbers = {"people": 123, "chance": 0.5, "sd": 1, "low": 0, "high": 1}
        return Leakage(what="site", metric="balanced_accuracy", mean=mean, **numbers)

    card = Card(leakage=[leak(0.91234)], harmonized=[leak(0.51234)], retest=None)
    shown = card_section("toy", {"fc": card}, [], Report())
    assert shown.decimals == {"site": 2}
    assert card_section("toy", {"fc": card}, [], Report(participants=True)).decimals == {"site": 3}
    rows = [(row.is_harmonized, row.covariates) for row in shown.rows]
    assert rows == [(False, {"site": 0.91}), (True, {"site": 0.51})]


def test_chance_and_identification_do_not_tell_the_number_of_participants() -> None:
    hidden = Report()
    assert section(22 / 23, 23, hidden) == section(25 / 26, 26, hidden)
    assert section(1.0, 23, hidden) == (pytest.approx(0.04), 1.0)
    exact = section(22 / 23, 23, Report(participants=True))
    assert exact == (pytest.approx(1 / 23), pytest.approx(22 / 23))
