"""What is certainly one value in two spellings, and what may be two values."""

from __future__ import annotations

import pytest

from semantoks.people.spellings import other_spelling, spelling_twins


@pytest.mark.parametrize(
    ("values", "twins"),
    [
        (("M", "F", "male"), ("M", "male")),
        (("Female", "Male", "f"), ("f", "Female")),
        (("y", "n", "No", "unknown"), ("n", "No")),
        (("yes", "no", "Y"), ("Y", "yes")),
        (("TRUE", "FALSE", "t"), ("t", "TRUE")),
        (("control", "ASD", "controls"), ("control", "controls")),
        (("HC", "MDD", "healthy_control"), ("HC", "healthy_control")),
        (("UCLA_1", "UCLA-1", "NYU"), ("UCLA-1", "UCLA_1")),
        (("male", "1", "2"), ("male", "1")),
        (("M", "F", "0"), ("F", "0")),
    ],
)
def test_one_value_in_two_spellings(values: tuple[str, ...], twins: tuple[str, str]) -> None:
    assert spelling_twins(values) == twins


@pytest.mark.parametrize(
    "values",
    [
        ("M", "F"),
        ("male", "female", "other"),
        ("HC", "control", "patient"),
        ("yes", "no", "1"),  # which one it means is not known
        ("no", "1", "2", "3"),  # numbers of episodes
        ("A", "A-", "A+"),
        ("NYU", "1", "M"),
        ("1", "1.0", "01"),
    ],
)
def test_what_may_be_two_values_passes(values: tuple[str, ...]) -> None:
    assert spelling_twins(values) is None


def test_a_list_that_leaves_out_another_spelling() -> None:
    assert other_spelling(["M"], ["M", "male", "F"]) == ("M", "male")
    assert other_spelling(["male"], ["M", "F"]) == ("male", "M")
    assert other_spelling(["M", "male"], ["M", "male", "F"]) is None
    assert other_spelling(["1"], ["1", "1.0", "01"]) is None
