import pandas as pd

from semantoks.scores.participants import (
    parse_numbers,
    participants_with_duplicate_scans,
    text_column,
)


def test_text_column_keeps_missing_values() -> None:
    table = pd.DataFrame({"participant_id": ["a", "b"], "site": [1, None]})
    ids = pd.Index(["b", "a", "c"])
    assert text_column(table, "site", ids).to_dict() == {"b": None, "a": "1.0", "c": None}
    assert text_column(table, None, ids).isna().all()


def test_top_coded_ages_are_numbers() -> None:
    assert parse_numbers(pd.Series(["89+", "30", "x"])).fillna(-1).tolist() == [89, 30, -1]


def test_the_first_participant_with_a_scan_is_no_duplicate() -> None:
    scans = pd.DataFrame({"participant_id": ["c", "a", "b"], "fingerprint": ["1", "1", "2"]})
    assert participants_with_duplicate_scans(scans) == {"c"}
    assert participants_with_duplicate_scans(scans[["participant_id"]]) == set()
