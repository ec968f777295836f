"""BOLD runs of a raw BIDS data set are listed with their sidecars and T1w images."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from semantoks.data.index.raw import find_raw_scans
from semantoks.errors import UserError
from tests.unit.data.index.conftest import FILES, write_bids


def test_sessions_runs_and_tasks_are_separate_scans(bids: Path) -> None:
    (bids / "task-rest_bold.json").write_text('{"RepetitionTime": 2.2, "SliceTiming": [0, 1.1]}')
    scans = find_raw_scans(bids).set_index("scan")
    assert list(scans.index) == [
        "sub-01_task-rest_run-01",
        "sub-01_task-rest_run-02",
        "sub-02_ses-1_task-rest",
        "sub-02_ses-2_task-rest",
        "sub-03_task-faces",
    ]
    second = scans.loc["sub-02_ses-2_task-rest"]
    assert (second["session"], second["t1w"]) == ("ses-2", FILES[3])
    assert second["repetition_time"] == 2.2  # inherited from the sidecar at the root
    assert json.loads(second["slice_timing"]) == [0, 1.1]
    assert scans.loc["sub-03_task-faces", "t1w"] == ""
    assert pd.isna(scans.loc["sub-03_task-faces", "repetition_time"])


def test_a_task_can_be_selected_and_must_exist(bids: Path) -> None:
    assert list(find_raw_scans(bids, "faces")["participant_id"]) == ["sub-03"]
    with pytest.raises(UserError, match="no BOLD image of task 'music'"):
        find_raw_scans(bids, "music")


def test_multi_echo_runs_are_refused_unless_another_task_is_selected(bids: Path) -> None:
    write_bids(bids, "sub-05/func/sub-05_task-rest_echo-1_bold.nii.gz")
    with pytest.raises(UserError, match="multi-echo runs"):
        find_raw_scans(bids)
    assert len(find_raw_scans(bids, "faces")) == 1
