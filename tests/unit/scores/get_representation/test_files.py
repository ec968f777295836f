"""Files of features as others write them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from semantoks.artifacts.representations import (
    FeatureBlock,
    read_participant_features,
    write_representation,
)
from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.errors import UserError
from semantoks.scores.get_representation.files import FeatureFile, read_feature_file

VALUES = np.array([[1.0, 2.5], [3.0, np.nan], [-1.0, 0.5]], np.float32)
IDS = ["001", "002", "NA1"]


def written(path: Path, kind: str) -> list[Path]:
    """Write `VALUES` of `IDS` in one of the forms that are read."""
    columns = {"participant_id": IDS, "b": VALUES[:, 0], "a": VALUES[:, 1]}
    if kind == "npy":
        np.save(path.with_suffix(".npy"), VALUES.astype(float))
        path.with_suffix(".txt").write_text("\ufeff001\r\n002\r\nNA1\r\n", encoding="utf-8")
        return [path.with_suffix(".npy"), path.with_suffix(".txt")]
    file = path.with_suffix(".parquet" if kind in ("columns", "lists", "fixed") else f".{kind}")
    if kind in ("tsv", "csv"):
        separator = "," if kind == "csv" else "\t"
        pd.DataFrame(columns).to_csv(file, sep=separator, index=False, na_rep="n/a")
    elif kind == "columns":
        pd.DataFrame(columns).to_parquet(file)
    else:
        lists = pa.array(VALUES.tolist(), pa.list_(pa.float64(), 2 if kind == "fixed" else -1))
        table = pa.table({"participant_id": IDS, "features": lists})
        # Other software stores texts of its own, which need not be JSON.
        pq.write_table(table.replace_schema_metadata({"writer": "not JSON"}), file)
    return [file]


def values(file: FeatureFile, rows: list[int]) -> np.ndarray:
    return np.stack(list(file.read(rows)))


@pytest.mark.parametrize("kind", ["tsv", "csv", "columns", "lists", "fixed", "npy"])
def test_all_forms_have_the_same_content(kind: str, tmp_path: Path) -> None:
    file = read_feature_file(*written(tmp_path / "mine", kind))
    assert file.ids.iloc[:, 0].tolist() == IDS and file.size == 2
    np.testing.assert_array_equal(values(file, [2, 0, 1]), VALUES[[2, 0, 1]])
    assert file.names == (["b", "a"] if kind in ("tsv", "csv", "columns") else [])


def test_a_file_of_semantoks_keeps_its_blocks(tmp_path: Path) -> None:
    scans = pd.DataFrame({key: ["a", "b", "c"] for key in SCAN_ENTITIES})
    blocks, path = (FeatureBlock("x", 1, 0.5), FeatureBlock("y", 1)), tmp_path / "full.parquet"
    write_representation(path, scans, VALUES, blocks=blocks)
    file = read_feature_file(path)
    assert file.blocks == blocks and list(file.ids) == ["scan", "participant_id", "session"]
    write_representation(path, scans, VALUES, fitted="tangent")
    assert read_feature_file(path).fitted == "tangent"
    table = pq.read_table(path)
    strange = table.schema.metadata | {b"fitted": b'"of a newer version"'}
    pq.write_table(table.replace_schema_metadata(strange), path)
    with pytest.raises(UserError, match="metadata of .* do not fit its 2 features"):
        read_feature_file(path)


def test_a_file_with_the_documented_columns_needs_no_metadata(tmp_path: Path) -> None:
    """The probe reads such a file, too: once this was ``KeyError: 'names'``."""
    columns = dict.fromkeys(SCAN_ENTITIES, IDS) | {"features": VALUES.tolist()}
    pq.write_table(pa.table(columns), tmp_path / "mine.parquet")
    features = read_participant_features(tmp_path / "mine.parquet")
    assert features.names == [] and features.fitted == ""
    np.testing.assert_array_equal(features.features_PF, VALUES)


def test_a_null_is_a_scan_of_which_nothing_is_known(tmp_path: Path) -> None:
    table = pa.table({"scan": ["a", "b"], "features": [None, [1.0, 2.0]]})
    pq.write_table(table, tmp_path / "mine.parquet")
    file = read_feature_file(tmp_path / "mine.parquet")
    np.testing.assert_array_equal(values(file, [1, 0]), [[1, 2], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "subject\tx\ns1\t1\n", "no column 'participant_id' or 'scan' .*subject, x"),
        ("a.tsv", "participant_id\ns1\n", "no column of features beside its ids"),
        (
            "a.tsv",
            "participant_id\tsite\ns1\tX\n",
            "Column 'site' .* must be a feature, .* 'X'",
        ),
        ("a.csv", "participant_id,x\n,1\n", "Row 1 of .* has no participant_id"),
        ("a.csv", "", "is not a readable table"),
        ("a.csv", "participant_id,x\ns1,1,2,3\n\xff", "no column|not a readable table"),
        ("a.npy", "no array", "is not a readable array of numbers"),
        ("a.parquet", "no table", "is not a readable Parquet file"),
    ],
)
def test_other_files_are_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=message):
        read_feature_file(tmp_path / name)


def test_arrays_need_as_many_ids_as_rows(tmp_path: Path) -> None:
    array, ids = written(tmp_path / "mine", "npy")
    with pytest.raises(UserError, match="does not say whose its rows are"):
        read_feature_file(array)
    ids.write_text("001\n002\n")
    with pytest.raises(UserError, match=r"has 2 ids, but .* has 3 rows"):
        read_feature_file(array, ids)
    np.save(array, np.array([{"code": 1}], object), allow_pickle=True)
    with pytest.raises(UserError, match="not a readable array of numbers"):
        read_feature_file(array, ids)
    np.save(array, np.zeros(3))
    with pytest.raises(UserError, match=r"has the shape \(3,\)"):
        read_feature_file(array, ids)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([[1.0], [1.0, 2.0]], "has 1 features in row 1, expected 2 as in the others"),
        ([["x"], ["y"]], "is of type list<.*string.*>, expected lists of numbers"),
        ([1.0, 2.0], "is of type double"),
    ],
)
def test_lists_are_of_numbers_and_equally_long(
    lists: list[object], message: str, tmp_path: Path
) -> None:
    pq.write_table(pa.table({"scan": ["a", "b"], "features": lists}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match=message):
        read_feature_file(tmp_path / "a.parquet")
