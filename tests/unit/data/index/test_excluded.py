"""Scans that are excluded by hand: which ones, and what is written of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from semantoks.config import Dataset, IndexedDataset
from semantoks.data.index.excluded import excluded_scans
from semantoks.data.index.settings import IndexSettings
from semantoks.data.index.shards import shard_of
from semantoks.data.index.stage import index
from semantoks.errors import UserError

SCANS = pd.DataFrame(
    {
        "scan": ["sub-01_run-1", "sub-01_run-2", "sub-02_run-1"],
        "participant_id": ["sub-01", "sub-01", "sub-02"],
    }
)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("scan\treason\nsub-01_run-2\tno cerebellum\n", {"sub-01_run-2": ": no cerebellum"}),
        ("reason\tscan\n\tsub-02_run-1\n", {"sub-02_run-1": ""}),
        ("participant_id\nsub-01\n", {"sub-01_run-1": "", "sub-01_run-2": ""}),
        ("sub-02_run-1\nsub-01_run-1\n", {"sub-01_run-1": "", "sub-02_run-1": ""}),
        ("scan\n", {}),
        (
            "participant_id\tscan\treason\nsub-02\tn/a\twithdrew\n01\tsub-01_run-2\tspike\n",
            {"sub-01_run-2": ": spike", "sub-02_run-1": ": withdrew"},
        ),
        (
            "scan\tparticipant_id\treason\nsub-01_run-2\t\tspike\n\tsub-01\twithdrew\n",
            {"sub-01_run-1": ": withdrew", "sub-01_run-2": ": spike"},
        ),
    ],
)
def test_a_table_names_scans_or_people(
    tmp_path: Path, table: str, expected: dict[str, str]
) -> None:
    file = tmp_path / "bad.tsv"
    file.write_text(table)
    excluded = excluded_scans(file, SCANS)
    reasons = {scan: f"excluded by hand{why}" for scan, why in expected.items()}
    assert dict(zip(excluded["scan"], excluded["reason"], strict=True)) == reasons


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            "scan\nsub-01_run-3\n",
            "'sub-01_run-3', which is not in .* Did you mean 'sub-01_run-2' or",
        ),
        ("participant_id\n01\n", "excludes '01', which is not in the data set"),
        (
            "scan\tparticipant_id\nsub-01_run-1\tsub-01\n\tsub-03\n",
            "'sub-03', which is not in .*1 of 1",
        ),
        ("scan\treason\nn/a\twithdrew\n", "1 of 1 rows with nothing under scan. Write"),
        (
            "scan\tparticipant_id\treason\nsub-01_run-1\t\tx\n\t\ty\n",
            "1 of 2 rows with nothing under scan or participant_id",
        ),
        ("name\twhy\nsub-01\tx\n", r"needs a column scan or participant_id .*columns: name, why"),
    ],
)
def test_what_is_not_there_is_no_exclusion(tmp_path: Path, table: str, sentence: str) -> None:
    file = tmp_path / "bad.tsv"
    file.write_text(table)
    with pytest.raises(UserError, match=sentence):
        excluded_scans(file, SCANS)


def test_only_shards_with_such_scans_have_a_table(bids: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    dataset = Dataset(path=str(bids), shards=4, repetition_time=2.0)
    settings = IndexSettings(dataset=IndexedDataset.part_of(dataset))
    given = {
        "data": bids,
        "participants": [bids / "participants.tsv"],
        "out": out / "scans.parquet",
    }
    index(settings, **given)
    before = {path: path.read_text() for path in out.glob("shard-*.tsv")}
    assert not list(out.glob("excluded-*.tsv"))
    excluded = tmp_path / "bad.tsv"
    excluded.write_text("sub-01_task-rest_run-02\n")
    written = index(settings, **given, exclude=excluded)
    (table,) = out.glob("excluded-*.tsv")
    assert table.name == f"excluded-{shard_of('sub-01', 4):04d}.tsv" and table in written
    assert table.read_text() == "scan\treason\nsub-01_task-rest_run-02\texcluded by hand\n"
    # The tables that `preprocess` reads stay as they are.
    assert {path: path.read_text() for path in before} == before
    index(settings, **given)
    assert not list(out.glob("excluded-*.tsv"))
