"""Participants are assigned to shards by their ids, and shard tables are read as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from semantoks.data.index.shards import DerivativeScan, RawScan, read_scans, read_shard, shard_of
from tests.unit.data.index.conftest import index_bids


def test_shards_are_even_and_stable() -> None:
    shards = pd.Series([shard_of(f"sub-{i:05d}", 10) for i in range(5000)])
    assert shards.value_counts().between(400, 600).all()
    assert shard_of("sub-01", 7) == 0  # SHA-1 is the same on every machine, unlike hash()


def test_run_entities_stay_text_in_every_shard(bids: Path, tmp_path: Path) -> None:
    index_bids(bids, tmp_path, shards=1, task="rest")
    assert read_shard(tmp_path / "shard-0000.tsv")["run"].tolist() == ["1", "2", "", ""]
    table = tmp_path / "all_runs.tsv"
    table.write_text("scan\trun\trepetition_time\na\t1\t2.0\nb\t2\t\n")
    assert read_shard(table)["run"].tolist() == ["1", "2"]
    assert read_shard(table)["repetition_time"].isna().tolist() == [False, True]


def test_scans_are_read_as_they_were_indexed(bids: Path, tmp_path: Path) -> None:
    (bids / "task-rest_bold.json").write_text('{"RepetitionTime": 2.2}')
    index_bids(bids, tmp_path, shards=1, task="rest")
    scans = read_scans(tmp_path / "shard-0000.tsv", RawScan)
    assert [scan.run for scan in scans] == ["1", "2", "", ""]
    assert {scan.repetition_time for scan in scans} == {2.2}
    table = tmp_path / "derivatives.tsv"
    columns = "scan\tparticipant_id\tsession\ttask\trun\tfile\tversion\tproblem\trepetition_time"
    table.write_text(f"{columns}\na\tsub-a\t\trest\t1\tsub-a/a.npy\tabc\t\t2.5\n")
    assert read_scans(table, DerivativeScan) == [
        DerivativeScan("a", "sub-a", "", "rest", "1", "sub-a/a.npy", "abc", "", 2.5)
    ]
