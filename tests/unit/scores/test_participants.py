import pandas as pd
import pytest

from semantoks.errors import UserError
from semantoks.scores.participants import (
    parse_numbers,
    participants_with_duplicate_scans,
    require_numbers,
    text_column,
)


def test_text_column_keeps_missing_values() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b"], "site": [1, None]})
    ids = pd.Index(["b", "a", "c"])
    assert text_column(table, "site", ids).to_dict() == {"b": None, "a": "1", "c": None}
    assert text_column(table, ["SITE_ID", "site"], ids)["a"] == "1"
    with pytest.raises(UserError, match="no column 'SITE_ID' or 'center'"):
        text_column(table, ["SITE_ID", "center"], ids)
    assert text_column(table, None, ids).isna().all()


def test_top_coded_ages_are_numbers() -> None:
    assert parse_numbers(pd.Series(["89+", "30", "x"])).fillna(-1).tolist() == [89, 30, -1]


def test_the_first_participant_with_a_scan_is_no_duplicate() -> None:
    scans = pd.DataFrame({"participant_id": ["c", "a", "b"], "recording": ["1", "1", "2"]})
    assert participants_with_duplicate_scans(scans) == {"c"}


@pytest.mark.parametrize(
    ("values", "message"),
    [(["NYU", "nyu", "KKI"], "'NYU' .* and 'nyu'"), ([1, 2, -9], "missing_values")],
)
def test_a_site_or_family_of_two_spellings_or_a_code_is_refused(
    values: list[object], message: str
) -> None:
    table = pd.DataFrame({"participant_id": ["a", "b", "c"], "site": values})
    with pytest.raises(UserError, match=message):
        text_column(table, "site", pd.Index(["a", "b", "c"]))


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(UserError, match=r"age must be numeric, but holds '31 y' \(1 of 3 rows\)"):
        require_numbers(pd.Series(["31", None, "31 y"]), "age")
