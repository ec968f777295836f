import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semantoks.artifacts.tables import read_shard
from semantoks.config import Dataset
from semantoks.data.index.people import read_participants
from semantoks.data.index.raw import find_scans
from semantoks.data.index.stage import shard_of
from semantoks.errors import UserError
from tests.conftest import run_index

FILES = [
    "sub-01/anat/sub-01_T1w.nii.gz",
    "sub-01/func/sub-01_task-rest_run-01_bold.nii.gz",
    "sub-01/func/sub-01_task-rest_run-02_bold.nii.gz",
    "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz",
    "sub-02/ses-1/func/sub-02_ses-1_task-rest_bold.nii.gz",
    "sub-02/ses-2/func/sub-02_ses-2_task-rest_bold.nii.gz",
    "sub-03/func/sub-03_task-faces_bold.nii.gz",
]


def make(folder: Path, files: list[str] = FILES) -> Path:
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch()
    (folder / "dataset_description.json").write_text('{"Name": "toy", "BIDSVersion": "1.10.0"}')
    people = sorted({name.split("/")[0] for name in files})
    rows = ["participant_id\tage", *(f"{person}\t30" for person in people)]
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    return folder


def run(bids: Path, out: Path, **settings: Any) -> None:
    run_index(bids, bids / "participants.tsv", Dataset(path=str(bids), **settings), out)


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    return make(tmp_path / "bids")


def test_sessions_runs_and_tasks_are_kept(bids: Path) -> None:
    (bids / "task-rest_bold.json").write_text('{"RepetitionTime": 2.2, "SliceTiming": [0, 1.1]}')
    scans = find_scans(bids).set_index("scan")
    assert list(scans.index) == [
        "sub-01_task-rest_run-01",
        "sub-01_task-rest_run-02",
        "sub-02_ses-1_task-rest",
        "sub-02_ses-2_task-rest",
        "sub-03_task-faces",
    ]
    second = scans.loc["sub-02_ses-2_task-rest"]
    assert (second["session"], second["t1w"]) == ("ses-2", FILES[3])
    assert second["repetition_time"] == 2.2  # inherited from the sidecar at the top
    assert json.loads(second["slice_timing"]) == [0, 1.1]
    assert scans.loc["sub-03_task-faces", "t1w"] == ""
    assert pd.isna(scans.loc["sub-03_task-faces", "repetition_time"])


def test_a_task_can_be_chosen_and_a_missing_one_is_said(bids: Path) -> None:
    assert list(find_scans(bids, "faces")["participant_id"]) == ["sub-03"]
    with pytest.raises(UserError, match="no BOLD image of task 'music'"):
        find_scans(bids, "music")


def test_a_new_person_changes_one_shard_only(bids: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    run(bids, out, shards=4, task=None)
    before = {path: path.stat().st_mtime_ns for path in out.glob("shard-*.tsv")}
    assert len(before) == 4
    make(bids, [*FILES, "sub-04/func/sub-04_task-rest_bold.nii.gz"])
    run(bids, out, shards=4, task=None)
    changed = [path.name for path in before if path.stat().st_mtime_ns != before[path]]
    assert changed == [f"shard-{shard_of('sub-04', 4):04d}.tsv"]


def test_a_replaced_image_changes_its_shard(bids: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    run(bids, out, shards=1, task=None)
    before = (out / "shard-0000.tsv").read_text()
    (bids / FILES[0]).write_bytes(b"another T1w image")
    run(bids, out, shards=1, task=None)
    assert (out / "shard-0000.tsv").read_text() != before


def test_fewer_shards_leave_no_table_behind(bids: Path, tmp_path: Path) -> None:
    for shards in (4, 2):
        run(bids, tmp_path / "index", shards=shards, task=None)
    assert len(list((tmp_path / "index").glob("shard-*.tsv"))) == 2


def test_shards_too_large_for_memory_are_said(
    bids: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semantoks.data.index.stage.MANY", 2)
    run(bids, tmp_path / "index", shards=3)
    assert "shard(s)" not in caplog.text
    run(bids, tmp_path / "index", shards=2)
    assert "5 scans in 2 shard(s)" in caplog.text


def test_runs_stay_text_in_every_shard(bids: Path, tmp_path: Path) -> None:
    run(bids, tmp_path, shards=1, task="rest")
    assert read_shard(tmp_path / "shard-0000.tsv")["run"].tolist() == ["1", "2", "", ""]
    table = tmp_path / "all_runs.tsv"
    table.write_text("scan\trun\trepetition_time\na\t1\t2.0\nb\t2\t\n")
    assert read_shard(table)["run"].tolist() == ["1", "2"]
    assert read_shard(table)["repetition_time"].isna().tolist() == [False, True]


def test_ids_that_match_nobody_and_echoes_are_said(bids: Path, tmp_path: Path) -> None:
    (bids / "participants.tsv").write_text("participant_id\tage\nS99\t3\n")
    with pytest.raises(UserError, match="Nobody with a scan is in .* sub-<label>"):
        run(bids, tmp_path, shards=1, task=None)
    make(bids, ["sub-05/func/sub-05_task-rest_echo-1_bold.nii.gz"])
    with pytest.raises(UserError, match="multi-echo runs"):
        find_scans(bids)
    assert len(find_scans(bids, "faces")) == 1


def test_shards_are_even_and_stable() -> None:
    shards = pd.Series([shard_of(f"sub-{i:05d}", 10) for i in range(5000)])
    assert shards.value_counts().between(400, 600).all()
    assert shard_of("sub-01", 7) == 0  # sha1, so never different on another machine


def test_participants_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    with pytest.raises(UserError, match=r"There is no .*participants.tsv"):
        read_participants(path)
    path.write_text("participant_id\tage\n")
    with pytest.raises(UserError, match="no rows"):
        read_participants(path)
    path.write_text("participant_id\tage\nsub-1\t3\nsub-1\t4\n")
    with pytest.raises(UserError, match="lists sub-1 more than once"):
        read_participants(path)
    path.write_text('participant_id\tage\tdrug\nsub-2\tn/a\tNone\nsub-1\t4\t"x\n')
    table = read_participants(path)
    assert table["age"].isna().tolist() == [False, True]
    assert table["drug"].tolist() == ['"x', "None"]  # a class, and a stray quotation mark
