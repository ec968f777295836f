"""Indexing re-runs only the shards that changed, and stops with one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semantoks.config import Dataset
from semantoks.data.index.shards import shard_of
from semantoks.errors import UserError
from tests.conftest import run_index
from tests.unit.data.index.conftest import FILES, index_bids, touch, write_bids


def test_a_new_participant_changes_one_shard_only(bids: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    index_bids(bids, out, shards=4, task=None)
    before = {path: path.stat().st_mtime_ns for path in out.glob("shard-*.tsv")}
    assert len(before) == 4
    write_bids(bids, *FILES, "sub-04/func/sub-04_task-rest_bold.nii.gz")
    index_bids(bids, out, shards=4, task=None)
    changed = [path.name for path in before if path.stat().st_mtime_ns != before[path]]
    assert changed == [f"shard-{shard_of('sub-04', 4):04d}.tsv"]


def test_a_replaced_image_changes_its_shard(bids: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    index_bids(bids, out, shards=1, task=None)
    before = (out / "shard-0000.tsv").read_text()
    (bids / FILES[0]).write_bytes(b"another T1w image")
    index_bids(bids, out, shards=1, task=None)
    assert (out / "shard-0000.tsv").read_text() != before


def test_fewer_shards_leave_no_table_behind(bids: Path, tmp_path: Path) -> None:
    for shards in (4, 2):
        index_bids(bids, tmp_path / "index", shards=shards, task=None)
    assert len(list((tmp_path / "index").glob("shard-*.tsv"))) == 2


def test_shards_too_large_for_memory_are_warned_of(
    bids: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semantoks.data.index.stage.MAX_SCANS_PER_SHARD", 2)
    index_bids(bids, tmp_path / "index", shards=3)
    assert "shard(s)" not in caplog.text
    index_bids(bids, tmp_path / "index", shards=2)
    assert "5 scans in 2 shard(s)" in caplog.text


def test_participants_must_match_the_scans(bids: Path, tmp_path: Path) -> None:
    (bids / "participants.tsv").write_text("participant_id\tage\nS99\t3\n")
    with pytest.raises(UserError, match="No participant with a scan is in .* sub-<label>"):
        index_bids(bids, tmp_path, shards=1, task=None)


@pytest.mark.parametrize(
    ("table", "settings", "sentence"),
    [
        ("", {}, "has no column 'participant_id'"),
        ("participant_id\tage\n", {}, "has no rows below its header"),
        ("id\tage\nsub-01\t3\n", {}, r"columns: id, age.*`participant_column`"),
        ("participant_id\tage\nsub-01\t3\nsub-01\t4\n", {}, "lists sub-01 more than once"),
        ("participant_id\tage\nS7\t3\n", {}, "No participant with a scan is in"),
        ("participant_id\tage\nMGH_01\t3\n", {}, "set `participant_pattern` of the data set"),
        (
            "participant_id\tage\n01\t3\n",
            {"repetition_time": "tr"},
            "the column 'tr', which is not",
        ),
        ("participant_id\tage\n01\t3\n", {"task": "faces"}, "no files of task 'faces'"),
        ("participant_id\tage\n01\t3\n", {"template": "{participant}.nii"}, "no files named"),
    ],
)
def test_errors_in_the_data_set_are_one_sentence(
    tmp_path: Path, table: str, settings: dict[str, Any], sentence: str
) -> None:
    folder = tmp_path / "data"
    touch(folder, "sub-01/func/sub-01_task-rest_space-MNI152NLin6Asym_desc-preproc_bold.nii.gz")
    (folder / "participants.tsv").write_text(table)
    dataset = Dataset(source="fmriprep", path=str(folder), **settings)
    with pytest.raises(UserError, match=sentence):
        run_index(folder, folder / "participants.tsv", dataset, tmp_path / "index")


def test_a_data_set_without_any_tr_is_one_sentence(bids: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No file of .* states the repetition time .TR."):
        index_bids(bids, tmp_path / "out", repetition_time=None)
    (bids / "task-faces_bold.json").write_text('{"RepetitionTime": 2}')  # of sub-03 alone
    index_bids(bids, tmp_path / "out", repetition_time=None)


@pytest.mark.parametrize("name", ["x.json", "sub-01_task-rest_timeseries.json", None])
def test_time_series_without_any_tr_are_one_sentence(tmp_path: Path, name: str | None) -> None:
    folder = tmp_path / "data"
    touch(folder, "sub-01/sub-01_task-rest_timeseries.tsv", "sub-02/sub-02_timeseries.csv")
    (folder / "participants.tsv").write_text("participant_id\tage\tTR\n01\t3\t\n02\t4\t\n")
    if name is not None:
        (folder / "sub-01" / name).write_text('{"SamplingFrequency": 0.5}')

    def run(**settings: Any) -> None:
        dataset = Dataset(path=str(folder), source="timeseries", **settings)
        run_index(folder, folder / "participants.tsv", dataset, tmp_path / "out")

    run(repetition_time=2.0)
    if name is not None and name.startswith("sub-01"):
        run()  # of sub-02 it is the reason
        return
    with pytest.raises(UserError, match="so every scan would be excluded. Set `repetition_time`"):
        run()
    with pytest.raises(UserError, match="no value of its `repetition_time` states"):
        run(repetition_time="TR")


def test_tables_of_people_are_not_readable_by_others(bids: Path, tmp_path: Path) -> None:
    index_bids(bids, tmp_path / "index", shards=2, task=None)
    modes = {path.name: path.stat().st_mode & 0o007 for path in (tmp_path / "index").iterdir()}
    assert modes == dict.fromkeys(modes, 0) and "left_out.tsv" in modes


@pytest.mark.parametrize("name", ["task-rest_timeseries.json", "sub-01/sub-01_timeseries.json"])
def test_an_inherited_sidecar_may_state_the_tr_of_time_series(tmp_path: Path, name: str) -> None:
    file = tmp_path / "sub-01/func/sub-01_task-rest_timeseries.tsv"
    file.parent.mkdir(parents=True)
    file.touch()
    (tmp_path / "participants.tsv").write_text("participant_id\nsub-01\n")
    (tmp_path / name).write_text('{"RepetitionTime": 2}')
    dataset = Dataset(path=str(tmp_path), source="timeseries")
    run_index(tmp_path, tmp_path / "participants.tsv", dataset, tmp_path / "index")
