"""Volumes of a run and of a concatenation that has it never count twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.data.index.conftest import touch
from tests.unit.data.index.derivatives.test_scans import find

TABLE = "sub-01/func/sub-01_{}_space-MNI152NLin6Asym_seg-a_stat-mean_timeseries.tsv"


def write(folder: Path, *names: str, file: str = TABLE) -> None:
    touch(folder, *(file.format(name) for name in names))


def left_out(folder: Path, source: str = "timeseries") -> list[str]:
    problems = find(folder, source=source)["problem"]
    assert all("concatenation of" in problem for problem in problems[problems != ""])
    return [scan.removeprefix("sub-01_") for scan in problems.index[problems != ""]]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["task-rest", "task-rest_run-01", "task-rest_run-02"], ["task-rest"]),
        (["task-rest_acq-a", "task-rest_acq-a_run-1", "task-rest_run-2"], []),
        (["task-rest", "task-rest_dir-LR_run-1", "task-rest_dir-RL_run-1"], ["task-rest"]),
        (["task-rest", "task-rest_dir-AP", "task-rest_dir-PA"], ["task-rest"]),
        (
            ["task-rest_dir-AP", "task-rest_dir-AP_run-1", "task-rest_dir-AP_run-2"],
            ["task-rest_dir-AP"],
        ),
        (["task-rest"], []),  # the single runs are not here
        (["task-rest", "task-rest_run-2"], []),  # the first run has no number
        (["task-rest", "task-rest_run-2", "task-rest_run-3"], []),
        (["task-rest", "task-faces_run-1", "task-faces_run-2"], []),
        (["task-rest_run-1", "task-rest_run-2"], []),
    ],
)
def test_a_table_without_run_beside_run_1_and_others_is_left_out(
    tmp_path: Path, names: list[str], expected: list[str]
) -> None:
    write(tmp_path, *names)
    assert left_out(tmp_path) == expected


def test_sources_decide(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ["task-rest", "task-rest_run-01", "task-rest_run-02"]
    write(tmp_path, *names)
    sidecar = (tmp_path / TABLE.format("task-rest")).with_suffix(".json")
    sources = [
        f"bids:xcp_d:{TABLE.format(name)}" for name in ("task-rest_run-1", "task-rest_run-2")
    ]
    sidecar.write_text(json.dumps({"Sources": sources}))
    problem = find(tmp_path, source="timeseries").loc["sub-01_task-rest", "problem"]
    assert problem == (
        "concatenation of runs that are scans of their own (sub-01_task-rest_run-01, "
        "sub-01_task-rest_run-02)"
    )
    assert "1 scan(s) are left out as concatenations" in caplog.text
    # The concatenation of a single run is that run again.
    (tmp_path / TABLE.format("task-rest_run-02")).unlink()
    assert left_out(tmp_path) == ["task-rest"]
    write(tmp_path, *names)
    denoised = "func/sub-01_task-rest_space-MNI152NLin6Asym_desc-denoised_bold.nii.gz"
    sidecar.write_text(json.dumps({"Sources": [f"bids:xcp_d:sub-01/{denoised}"]}))
    assert left_out(tmp_path) == []
    sidecar.write_text(json.dumps({"Sources": ["bids:atlas:a.nii.gz"]}))
    assert left_out(tmp_path) == ["task-rest"]


def test_fmriprep_does_not_concatenate_but_xcpd_does(tmp_path: Path) -> None:
    image = "sub-01/func/sub-01_{}_space-fsLR_den-91k_desc-denoised_bold.dtseries.nii"
    write(tmp_path, "task-rest", "task-rest_run-1", "task-rest_run-2", file=image)
    assert left_out(tmp_path, "fmriprep") == []
    description = tmp_path / "dataset_description.json"
    description.write_text(json.dumps({"GeneratedBy": [{"Name": "XCP-D"}]}))
    assert left_out(tmp_path, "fmriprep") == ["task-rest"]


def test_a_template_chooses_the_concatenation(tmp_path: Path) -> None:
    write(tmp_path, "task-rest", "task-rest_run-1", "task-rest_run-2")
    template = "*/func/{participant}_task-rest_space-*_timeseries.tsv"
    scans = find(tmp_path, source="timeseries", template=template)
    assert not scans["problem"].any() and len(scans) == 1


def test_another_problem_stays(tmp_path: Path) -> None:
    write(tmp_path, "task-rest_run-1", "task-rest_run-2")
    (tmp_path / TABLE.format("task-rest")).symlink_to("annexed")
    scans = find(tmp_path, source="timeseries")
    assert "is a link to a file that is not here" in scans.loc["sub-01_task-rest", "problem"]
