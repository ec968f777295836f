"""Numbers with units and among text are refused; classes are not."""

from __future__ import annotations

import pytest

from semantoks.errors import UserError
from semantoks.people.measures import as_age, as_measure, require_no_measure, require_numbers


def test_ranges_and_top_codes() -> None:
    assert [as_age(text) for text in ("22-25", "36+", "20 to 24", "31")] == [23.5, 36, 22, 31]
    assert [as_age(text) for text in ("25-22", "25Y", "inf", "2010-05-01")] == [None] * 4
    assert as_measure("22-25") is None


def test_text_among_numbers_is_refused() -> None:
    require_numbers(["1", None, "2.5", "89+"], "age")
    with pytest.raises(UserError, match="age must be numeric, but holds 'x'"):
        require_numbers(["1", "x"], "age")


def test_the_value_that_means_missing_and_item_rows_are_named() -> None:
    with pytest.raises(UserError, match="list 'pending' in `missing_values`") as error:
        require_numbers(["1", "pending"], "iq")
    assert "skip_rows" not in str(error.value)
    with pytest.raises(UserError, match="If the first row is no participant, set `skip_rows: 1`"):
        require_numbers(["Total score", *"123456"], "iq")


@pytest.mark.parametrize(
    "values",
    [
        [f"{age}Y" for age in range(20, 30)],
        [f"0{age} years" for age in range(20, 30)],
        [f"{age},5" for age in range(20, 30)],
        [*map(str, range(20, 30)), "unknown"],
    ],
)
def test_measures_that_are_text_are_no_classes(values: list[str]) -> None:
    with pytest.raises(UserError, match="should be numeric"):
        require_no_measure(values, "column age")


@pytest.mark.parametrize(
    "values",
    [
        ["M", "F"],
        ["2a", "2b", "1"],
        ["1a", "1b", "2a", "2b", "3a", "3b"],
        ["22-25", "26-30", "31-35", "36+", "40-45"],
        [str(age) for age in range(20)],
        ["NYU", "UCLA", "KKI", "OHSU", "1", "2"],
    ],
)
def test_classes_and_numbers_pass(values: list[str]) -> None:
    require_no_measure([*values, None], "column")
