"""BOLD runs of a raw BIDS data set are listed with their sidecars and T1w images."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from semantoks.config import EntityFilter, IndexedDataset
from semantoks.data.index.raw import runs
from semantoks.errors import UserError
from tests.unit.data.index.conftest import FILES, touch, write_bids

ECHOES = [f"sub-05/func/sub-05_task-rest_echo-{echo}_bold.nii.gz" for echo in (1, 2, 3)]


def find_raw_scans(
    bids: Path, task: str | None = None, *, by_fmriprep: bool = False, **entities: object
) -> pd.DataFrame:
    chosen: EntityFilter = dict(entities)  # type: ignore[arg-type]
    dataset = IndexedDataset(task=task, entities=chosen)
    return runs.find_raw_scans(bids, dataset, by_fmriprep=by_fmriprep)


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
    assert scans.loc["sub-01_task-rest_run-01", "run"] == "1"
    second = scans.loc["sub-02_ses-2_task-rest"]
    assert (second["session"], second["t1w"]) == ("ses-2", FILES[3])
    assert second["repetition_time"] == 2.2  # inherited from the sidecar at the root
    assert json.loads(second["slice_timing"]) == [0, 1.1]
    assert scans.loc["sub-03_task-faces", "t1w"] == ""
    assert pd.isna(scans.loc["sub-03_task-faces", "repetition_time"])


def test_a_task_can_be_selected_and_must_exist(bids: Path) -> None:
    assert list(find_raw_scans(bids, "faces")["participant_id"]) == ["sub-03"]
    with pytest.raises(UserError, match="no BOLD image with task: music"):
        find_raw_scans(bids, "music")
    with pytest.raises(UserError, match="There is no folder"):
        find_raw_scans(bids / "elsewhere")


def test_echoes_are_a_problem_of_their_run_alone(bids: Path) -> None:
    write_bids(bids, *ECHOES)
    scans = find_raw_scans(bids).set_index("scan")
    assert len(scans) == 6
    assert scans.loc["sub-05_task-rest", "problem"].startswith("a run of 3 echoes, which")
    assert not scans.drop("sub-05_task-rest")["problem"].any()


def test_an_engine_that_by_fmriprep_has_no_problem(bids: Path) -> None:
    write_bids(bids, *ECHOES)
    scan = find_raw_scans(bids, by_fmriprep=True).set_index("scan").loc["sub-05_task-rest"]
    assert (scan["problem"], scan["bold"]) == ("", ECHOES[0])
    (bids / ECHOES[2]).write_text("changed")
    changed = find_raw_scans(bids, by_fmriprep=True).set_index("scan").loc["sub-05_task-rest"]
    assert changed["version"] != scan["version"]
    for echo, tr in zip(ECHOES, (2, 2, 3), strict=True):
        (bids / echo.replace(".nii.gz", ".json")).write_text(json.dumps({"RepetitionTime": tr}))
    scans = find_raw_scans(bids, by_fmriprep=True).set_index("scan")
    assert "different RepetitionTimes" in scans.loc["sub-05_task-rest", "problem"]


@pytest.mark.parametrize("echo", [2, "2", "02"])
def test_an_echo_can_be_chosen(bids: Path, echo: object) -> None:
    write_bids(bids, *ECHOES)
    scans = find_raw_scans(bids, echo=echo)
    assert list(scans["scan"]) == ["sub-05_task-rest_echo-2"]
    assert scans["problem"][0] == ""


VARIANTS = ["acq-mb_dir-AP", "acq-mb_dir-PA", "acq-01_rec-norm", "", "part-phase", "part-mag"]
VARIANTS += ["ce-gd", "chunk-01", "chunk-02"]


@pytest.mark.parametrize(
    ("entities", "expected"),
    [
        ({}, [name for name in VARIANTS if name != "part-phase"]),
        ({"acq": "mb", "dir": "AP"}, ["acq-mb_dir-AP"]),
        ({"dir": ["AP", "PA"]}, ["acq-mb_dir-AP", "acq-mb_dir-PA"]),
        ({"acq": None, "ce": None, "chunk": None}, ["", "part-mag"]),
        ({"ce": "gd"}, ["ce-gd"]),
        ({"chunk": 1}, ["chunk-01"]),
        ({"chunk": ["2", 3]}, ["chunk-02"]),
        ({"acq": 1}, ["acq-01_rec-norm"]),  # YAML reads 01 as 1
        ({"rec": "*"}, ["acq-01_rec-norm"]),
        ({"part": "phase"}, ["part-phase"]),
        ({"part": None, "acq": ["mb", None], "dir": [None], "ce": None, "chunk": None}, [""]),
    ],
)
def test_entities_choose_runs(
    tmp_path: Path, entities: dict[str, object], expected: list[str]
) -> None:
    for name in VARIANTS:
        touch(
            tmp_path, f"sub-01/func/{'_'.join(filter(None, ['sub-01_task-rest', name]))}_bold.nii"
        )
    scans = find_raw_scans(tmp_path, **entities)["scan"]
    names = [name.removeprefix("sub-01_task-rest").strip("_") for name in scans]
    assert names == sorted(expected)


def test_entities_that_nothing_has_stop_with_an_example(tmp_path: Path) -> None:
    touch(tmp_path, "sub-01/func/sub-01_task-rest_acq-mb_bold.nii.gz")
    with pytest.raises(UserError, match=r"with acq: MB .*one of 1 others is sub-01/func/.*acq-mb"):
        find_raw_scans(tmp_path, acq="MB")


@pytest.mark.parametrize("name", ["ds000030_R1.0.5", "study [2023]", "a b (c)", "sub-project", "*"])
def test_any_name_of_a_data_set_is_indexed(tmp_path: Path, name: str) -> None:
    touch(tmp_path / name, *FILES)
    assert len(find_raw_scans(tmp_path / name)) == 5


def test_bidsignore_holds(bids: Path) -> None:
    (bids / ".bidsignore").write_text("# pilots\nsub-02/\n*_run-01_*\n**/sub-01_T1w.nii.gz\n")
    scans = find_raw_scans(bids)
    assert list(scans["scan"]) == ["sub-01_task-rest_run-02", "sub-03_task-faces"]
    assert list(scans["t1w"]) == ["", ""]


def test_a_name_that_contradicts_its_folder_is_a_problem(bids: Path) -> None:
    touch(bids, "sub-03/func/sub-07_task-rest_bold.nii.gz")
    scans = find_raw_scans(bids).set_index("scan")
    assert (
        "is in the folder sub-03, which contradicts its name"
        in scans.loc["sub-07_task-rest", "problem"]
    )
    assert not scans.drop("sub-07_task-rest")["problem"].any()


def test_folders_of_participants_without_a_bids_label_are_said(
    bids: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(bids, "sub-A_01/func/sub-A_01_task-rest_bold.nii.gz")
    assert len(find_raw_scans(bids)) == 5
    assert "1 folder(s) of participants are left out" in caplog.text
    assert "sub-A_01" in caplog.text


def test_links_to_folders_that_are_not_here_are_said(
    bids: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (bids / "sub-08").symlink_to("unmounted")
    (bids / "sub-03/ses-2").symlink_to("unmounted")
    assert len(find_raw_scans(bids)) == 5
    assert "links to folders that are not here: sub-08" in caplog.text
    assert "sub-03/ses-2 is a link to a folder that is not here" in caplog.text


@pytest.mark.parametrize("entity", ["space-MNI152NLin6Asym", "desc-preproc"])
def test_a_preprocessed_image_is_not_taken_for_a_raw_one(bids: Path, entity: str) -> None:
    touch(bids, f"sub-03/func/sub-03_task-faces_{entity}_bold.nii.gz")
    touch(bids, f"sub-03/anat/sub-03_{entity}_T1w.nii.gz")
    scans = find_raw_scans(bids).set_index("scan")
    problem = scans.loc[f"sub-03_task-faces_{entity}", "problem"]
    assert f"is no raw image ({entity}): list it in .bidsignore, or set `source: fm" in problem
    assert not scans.loc["sub-03_task-faces", "t1w"]


def test_the_same_run_twice_is_a_problem(bids: Path) -> None:
    touch(bids, FILES[1].removesuffix(".gz"))
    scans = find_raw_scans(bids).set_index("scan")
    problem = scans.loc["sub-01_task-rest_run-01", "problem"]
    assert problem.startswith("several files of one scan (list the others in .bidsignore)")
    assert not scans.drop("sub-01_task-rest_run-01")["problem"].any()


def test_one_and_zero_one_are_the_same_run(bids: Path) -> None:
    touch(bids, FILES[1].replace("run-01", "run-1"))
    scans = find_raw_scans(bids).set_index("scan")
    for number in ("run-01", "run-1"):
        problem = scans.loc[f"sub-01_task-rest_{number}", "problem"]
        assert (
            f"several files of one scan (list the others in .bidsignore): {FILES[1]}, " in problem
        )
        assert "_run-1_bold.nii.gz" in problem
    assert (scans["problem"] != "").sum() == 2
    assert list(find_raw_scans(bids, run=2)["scan"]) == ["sub-01_task-rest_run-02"]


def test_links_are_followed_and_circles_end(bids: Path, tmp_path: Path) -> None:
    touch(tmp_path, "store/func/sub-08_task-rest_bold.nii.gz")
    (bids / "sub-08").mkdir()
    (bids / "sub-08/func").symlink_to(tmp_path / "store/func")
    (bids / "sub-08/loop").symlink_to(bids)
    dataset = IndexedDataset(link_targets=[str(tmp_path / "store")])
    assert "sub-08_task-rest" in set(runs.find_raw_scans(bids, dataset)["scan"])


def test_links_to_elsewhere_are_said_once(
    bids: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, *(f"home/sub-0{n}/func/sub-0{n}_task-rest_bold.nii.gz" for n in (7, 8)))
    for name in ("sub-07", "sub-08"):
        (bids / name).symlink_to(tmp_path / "home" / name)
    (bids / "sub-01/everything").symlink_to("/")
    image = bids / FILES[1]
    image.unlink()
    image.symlink_to(tmp_path / "home/sub-07/func/sub-07_task-rest_bold.nii.gz")
    scans = find_raw_scans(bids).set_index("scan")
    assert not set(scans.index) & {"sub-07_task-rest", "sub-08_task-rest"}
    assert "leads out of the data set" in scans.loc["sub-01_task-rest_run-01", "problem"]
    assert not scans.drop("sub-01_task-rest_run-01")["problem"].any()
    [message] = [text for text in caplog.messages if "link(s)" in text]
    assert message.startswith(f"4 link(s) lead out of {bids} and are not followed")


def test_a_view_of_a_store_needs_its_name(tmp_path: Path) -> None:
    write_bids(tmp_path / "store", *FILES[:2])
    view = tmp_path / "view"
    view.mkdir()
    (view / "sub-01").symlink_to(tmp_path / "store/sub-01")
    with pytest.raises(UserError, match=r"set `link_targets: \[.*/store\]` of the data set"):
        find_raw_scans(view)
    named = IndexedDataset(link_targets=[str(tmp_path / "store")])
    assert list(runs.find_raw_scans(view, named)["problem"]) == [""]


def test_images_and_sidecars_that_are_no_files_are_reasons(bids: Path) -> None:
    for name in (FILES[1], FILES[0]):
        (bids / name).unlink()
    os.mkfifo(bids / FILES[1])
    (bids / FILES[0]).symlink_to("/dev/zero")
    (bids / "sub-02/ses-1/func/sub-02_ses-1_task-rest_bold.json").symlink_to("/dev/zero")
    sidecar = bids / "sub-02/ses-2/func/sub-02_ses-2_task-rest_bold.json"
    sidecar.write_text('{"RepetitionTime": ' + "[" * 90 + "]" * 90 + "}")
    (bids / "sub-03/func/sub-03_task-faces_bold.json").write_text("[" * 100_000)
    problems = find_raw_scans(bids).set_index("scan")["problem"]
    assert "is a named pipe" in problems["sub-01_task-rest_run-01"]
    assert "is a device" in problems["sub-01_task-rest_run-02"]
    assert "is a device" in problems["sub-02_ses-1_task-rest"]
    assert "RepetitionTime is nested more than 5 deep" in problems["sub-02_ses-2_task-rest"]
    assert "cannot be read (" in problems["sub-03_task-faces"]
