"""Blocks of a shard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semantoks.config import Events
from semantoks.errors import UserError
from tests.unit.data.blocks.conftest import Task, write_events

HEADER = "onset\tduration\ttrial_type\trating"


@pytest.fixture
def task(tmp_path: Path) -> Task:
    task = Task(tmp_path)
    for person in task.people:
        rows = [
            "40\t20\tfaces\tn/a",
            "10\t20\tshapes\t3.5",
            "70\t20\tfaces\t4",
            "100\t21\tshapes\t1",
        ]
        write_events(task.events_file(person), rows, HEADER)
    return task


def test_blocks_are_cut_out_of_the_cleaned_run(task: Task) -> None:
    """By hand: volumes 7.5 → 8 to 18 of the run, as they are, for the event at 10 s."""
    table = task.cut()
    names = [f"sub-01_task-faces_run-1_block-{n:02d}" for n in (1, 2, 3, 4)]
    assert table["scan"].tolist()[:4] == table["participant_id"].tolist()[:4] == names
    assert table["status"].tolist() == ["ok", "ok", "ok", "excluded"] * 2
    assert "ends 6 s after" in table["reason"][3]
    for row, first in ((0, 8), (1, 23), (2, 38)):
        expected = task.arrays[0][:, first : first + 10]
        assert np.array_equal(np.reshape(table["timeseries"][row], (12, 10)), expected)
    assert table["timeseries"][3] is None
    assert table["seconds"].tolist()[:3] == [20.0] * 3 and table["dof"].isna().all()
    assert (table["person"] == table["source"].str[:6]).all()
    assert table["mean_fd"].tolist() == [0.1] * 8
    # One row per run has its fingerprints.
    assert table["fingerprint"].notna().tolist() == [True, False, False, False] * 2
    blocks = task.table()
    assert blocks["participant_id"].tolist() == table["participant_id"].tolist()
    assert blocks.loc[:3, "trial_type"].tolist() == ["shapes", "faces", "faces", "shapes"]
    assert blocks.loc[:3, "rating"].fillna("-").tolist() == ["3.5", "-", "4", "1"]
    assert blocks.loc[:3, "onset"].tolist() == ["10", "40", "70", "100"]


def test_included_events_keep_their_numbers(task: Task) -> None:
    table = task.cut(Events(include={"trial_type": ["faces"]}))
    assert [name[-2:] for name in table["scan"]] == ["02", "03"] * 2
    assert set(task.table()["trial_type"]) == {"faces"}


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (
            Events(include={"trial_type": ["houses"]}),
            "none of the 4 of the run is one of `include`",
        ),
        (Events(include={"side": ["left"]}), "no column side, which `include` names"),
    ],
)
def test_a_run_without_such_events_has_its_reason(task: Task, events: Events, reason: str) -> None:
    table = task.cut(events)
    assert table["scan"].tolist() == [task.scan(person) for person in task.people]
    assert table["status"].tolist() == ["excluded"] * 2 and reason in table["reason"][0]
    assert task.table().empty


def test_excluded_runs_and_damaged_events_stay_visible(task: Task) -> None:
    task.events_file("sub-02").write_text("onset\tduration\nsoon\t1\n")
    table = task.cut(status=["excluded", "ok"], reason=["head motion: too much", ""])
    assert table["scan"].tolist() == [task.scan(person) for person in task.people]
    assert table["reason"][0] == "head motion: too much"
    assert table["reason"][1].startswith("events: row 2 of sub-02_task-faces_run-1_events.tsv")
    assert table["timeseries"].isna().all()


def test_windows_that_overlap_are_said(task: Task, caplog: pytest.LogCaptureFixture) -> None:
    task.cut(Events(seconds=40))
    assert "4 of 8 windows overlap the one before" in caplog.text
    assert "2 of 8 windows do not fit their run and are left out" in caplog.text


def test_a_folder_that_is_not_there_is_said(task: Task) -> None:
    with pytest.raises(UserError, match="There is no /nowhere. Correct `events.path`"):
        task.cut(Events(path="/nowhere"))


def test_a_shard_without_scans_has_no_blocks(tmp_path: Path) -> None:
    task = Task(tmp_path, people=())
    assert task.cut().empty and task.table().empty
    assert list(task.table()) == ["participant_id", "person"]
