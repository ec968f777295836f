"""Rows of the shard table and of the status table."""

from __future__ import annotations

import pandas as pd

from semantoks.data.index.shards import RawScan, scans_of
from semantoks.data.preprocess.rows import COLUMNS, ScanResult, status_table


def scan(name: str, **values: str) -> RawScan:
    return RawScan(name, "sub-01", bold=f"sub-01/func/{name}_bold.nii.gz", **values)


def test_a_shard_table_may_lack_optional_columns_and_have_others() -> None:
    table = pd.DataFrame(
        {"scan": ["a"], "participant_id": ["sub-01"], "bold": ["a.nii"], "shard": [0]}
    )
    (row,) = scans_of(table, RawScan)
    assert (row.scan, row.bold, row.t1w, row.problem) == ("a", "a.nii", "", "")
    assert row.repetition_time != row.repetition_time  # NaN


def test_the_status_table_has_the_given_order_and_missing_values() -> None:
    results = [
        ScanResult.failed(scan("a"), "no brain", 1.234),
        ScanResult.ok(scan("b"), 2.0, {"mean_fd": 0.1, "n_volumes": 24, "repetition_time": 2.5}),
        ScanResult.unusable(scan("c", problem="several files")),
    ]
    table = status_table(results, ["c", "b", "a"])
    assert list(table.columns) == COLUMNS
    assert list(table["scan"]) == ["c", "b", "a"]
    assert list(table["status"]) == ["failed", "ok", "failed"]
    assert list(table["reason"]) == ["several files", "", "no brain"]
    assert table["n_volumes"].dtype == "Int64" and table["n_volumes"].isna().sum() == 2
    assert table["seconds"].tolist()[1:] == [2.0, 1.23]
    assert table["dice"].isna().all()


def test_the_status_table_of_an_empty_shard_has_all_columns() -> None:
    assert list(status_table([], []).columns) == COLUMNS
