"""Codes for missing values and two spellings of one value stop a run; real values do not."""

from __future__ import annotations

import numpy as np
import pytest

from semantoks.errors import UserError
from semantoks.people.checks import require_clean

AGES = [str(age) for age in range(20, 60)]


@pytest.mark.parametrize("code", ["-9", "-99", "-999", "-9999", "999", "-999.0", "777", "#REF!"])
@pytest.mark.parametrize("is_measure", [True, False])
def test_codes_are_refused_in_measures_and_classes(code: str, is_measure: bool) -> None:
    for others in (AGES, ["1", "2"] * 5):
        with pytest.raises(UserError, match="missing_values"):
            require_clean([*others, None, code, code], "column age", is_measure=is_measure)


def test_a_word_for_missing_among_codes_is_no_class() -> None:
    # ADHD-200 has 0 to 3 and "pending" under DX.
    with pytest.raises(UserError, match=r"has pending in 2 of 12 rows.*List 'pending' under `miss"):
        require_clean(["0", "1"] * 5 + ["pending"] * 2, "DX", is_measure=False)
    require_clean(["mild", "severe", "pending"], "state", is_measure=False)
    require_clean(["0", "1", "control"], "group", is_measure=False)


def test_a_code_among_names_is_refused() -> None:
    with pytest.raises(UserError, match=r"has -9 in 2 of 4 rows"):
        require_clean(["M", "F", "-9", "-9"], "sex", is_measure=False)


@pytest.mark.parametrize("value", ["4000", "-20000", "1e6"])
def test_a_single_value_far_outside_is_refused_in_a_measure(value: str) -> None:
    with pytest.raises(UserError, match=value):
        require_clean([*AGES, value], "age", is_measure=True)
    require_clean([*AGES, value], "family", is_measure=False)


@pytest.mark.parametrize("code", ["-1", "-3", "-10"])
def test_codes_of_uk_biobank_are_refused_where_nothing_else_is_negative(code: str) -> None:
    with pytest.raises(UserError, match=f"has {code} in 2 of 42 rows"):
        require_clean([*AGES, code, code], "hours of sleep", is_measure=True)
    require_clean([*AGES, code, "-2"], "change", is_measure=True)
    require_clean(["1", "-1"] * 30, "group", is_measure=False)


def test_real_values_pass() -> None:
    rng = np.random.default_rng(0)
    measures = (
        rng.normal(size=500),
        rng.normal(0, 8, 500).round(),  # a score that changes by -9 now and then
        rng.lognormal(0, 1.5, 500),
        rng.poisson(0.5, 500),
        np.arange(100, 1200),
        np.repeat([0, 1], 50),
        np.repeat([3], 50),
        np.r_[np.zeros(50), 1],
    )
    for values in measures:
        require_clean([f"{value:g}" for value in values], "x", is_measure=True)
    require_clean([str(number) for number in range(600, 1000)], "family", is_measure=False)


@pytest.mark.parametrize(
    "values", [("M", "m"), ("NYU", "Nyu"), ("New York", "New  York"), ("A", "1", "1.0")]
)
def test_two_spellings_of_a_class_are_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match="two ways of writing one value.*`values`"):
        require_clean(values, "site", is_measure=False)
    require_clean(["1", "1.0", "2"], "site", is_measure=False)
