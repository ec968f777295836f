"""Columns are found by the names that users list, and by those that data holders use."""

from __future__ import annotations

from semantoks.people.columns import (
    also_there,
    code_columns,
    confounds_sentence,
    covariate_columns,
    find_column,
    listed,
)


def test_the_first_name_that_is_there_counts() -> None:
    names = ["31-0.0", "f.31.0.0", "p31"]
    assert find_column(names, ["p31", "f.31.0.0"]) == "f.31.0.0"
    assert find_column("p31", ["P31"]) is None and find_column(None, ["p31"]) is None
    assert listed(names) == "'31-0.0' or 'f.31.0.0' or 'p31'"
    assert also_there(names, ["p31"]) == also_there(names, []) == ""
    assert also_there(names, ["p31", "31-0.0"]) == (
        "column '31-0.0' is used, and not 'p31', which the table has, too"
    )


def test_confounds_are_recognised_by_the_names_of_data_holders() -> None:
    def known(*columns: str) -> list[str | None]:
        return list(covariate_columns(columns).values())

    assert known("AGE_AT_SCAN", "SEX", "SITE_ID", "func_mean_fd") == [
        *("AGE_AT_SCAN", "SEX", "func_mean_fd", "SITE_ID")
    ]
    assert known("Age_in_Yrs", "Gender") == ["Age_in_Yrs", "Gender", None, None]
    assert known("21003-0.0", "21003-2.0", "31-0.0", "25741-2.0", "54-2.0") == [
        *("21003-2.0", "31-0.0", "25741-2.0", "54-2.0")
    ]
    assert known("participant.p31", "participant.p21003_i2")[:2] == [
        *("participant.p21003_i2", "participant.p31")
    ]
    assert known("p31", "p54_i2")[1] == "p31"
    assert known("p30", "p31", "p32")[1] is None  # items of a questionnaire


def test_a_configured_column_is_not_replaced_by_a_known_one() -> None:
    columns = covariate_columns(["age", "sex", "Years"], {"age": ["years", "Years"], "sex": "x"})
    assert columns["age"] == "Years" and columns["sex"] is None


def test_used_and_missing_confounds_are_one_sentence() -> None:
    sources = {"age": "AGE", "mean_fd": None, "seconds": "", "sex": "SEX", "site": "SITE"}
    assert confounds_sentence(sources) == (
        "confounds that are used: age (column 'AGE'), scan length (of the scans), sex (column "
        "'SEX'), site (column 'SITE'); not found: head motion (motion_column). If the table has "
        "it, name its column by that key"
    )
    everything = dict.fromkeys(("age", "sex", "mean_fd", "site"), "x")
    assert "not found" not in confounds_sentence(everything)


def test_columns_of_sites_and_sexes_hold_codes() -> None:
    columns = ["age", "Gender", "SITE_ID", "centre", "p31", "site_of_birth"]
    assert code_columns(columns) == {"Gender", "SITE_ID"}
    assert code_columns(columns, {"site": ["scanner", "centre"], "age": "age"}) == {
        "Gender",
        "SITE_ID",
        "centre",
    }
    assert code_columns(["p31", "p53_i2"]) == {"p31"}  # beside another field of UK Biobank
