"""Of several rows of a participant one is chosen, if the order of the visits is known."""

from __future__ import annotations

import pytest

from semantoks.errors import UserError
from semantoks.people.visits import chosen_rows

IDS = ["a", "a", "a", "b"]


@pytest.mark.parametrize(
    "visits",
    [
        ["10", "9", "11", "10"],
        ["2011-01-10", "2010-12-31 09:00", "2011-02-01", "2011-01-01"],
        ["ses-10", "ses-9", "Ses-11", "ses-10"],
        ["baseline", "baseline", None, None],
    ],
)
def test_first_and_last_of_each(visits: list[str | None]) -> None:
    if visits[2] is None:  # a row without a visit counts only if there is no other
        assert chosen_rows(IDS, visits, "first", "t") == [0, 1, 3]
        return
    assert chosen_rows(IDS, visits, "first", "t") == [1, 3]
    assert chosen_rows(IDS, visits, "last", "t") == [2, 3]


def test_a_value_is_text_or_a_number() -> None:
    assert chosen_rows(IDS, ["1", "2.0", "2", None], "2", "t") == [1, 2]
    with pytest.raises(UserError, match=r"No row of t has '3' \(there are '1', '2'\)"):
        chosen_rows(IDS, ["1", "2", "1", None], "3", "t")


@pytest.mark.parametrize(
    "visits",
    [
        ["baseline_year_1_arm_1", "2_year_follow_up_y_arm_1", "4_year_follow_up_y_arm_1", None],
        ["1/2/2011", "13/2/2011", "2011-01-01", None],
        ["V1", "2", "V3", None],
    ],
)
def test_an_order_that_is_not_known_is_not_guessed(visits: list[str | None]) -> None:
    with pytest.raises(UserError, match="need an order, but t has .*`keep: "):
        chosen_rows(IDS, visits, "last", "t")
