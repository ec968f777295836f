"""Calls of fMRIPrep: what they are given, and what becomes of their participants."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from semantoks.config import Fmriprep, Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.shards import RawScan
from semantoks.data.layout import generated_by, space_of
from semantoks.data.parcellate.confounds import load_confounds
from semantoks.data.parcellate.readers.fmriprep import find_bold
from semantoks.data.preprocess.fmriprep.filters import bids_filters
from semantoks.data.preprocess.fmriprep.workspace import Workspace
from semantoks.data.preprocess.rows import COLUMNS
from tests.stand_ins.sandbox import RUNS, Sandbox
from tests.unit.data.test_stacks import write_stack


def bold_for_parcellate(sandbox: Sandbox) -> Path:
    """Find the image of sub-02's second run as `parcellate` does."""
    atlas = Atlas("any", None, pd.DataFrame(), "MNI152NLin6Asym", "")
    return find_bold(sandbox.out / "sub-02", RUNS[1], atlas, "simple")


def test_docker_is_run_through_the_real_wrapper(sandbox: Sandbox) -> None:
    table = sandbox.run(runner="docker")
    assert list(table["status"]) == ["ok"] * 4
    call = next(words for words in sandbox.commands("docker") if "participant" in words)
    work = next(w for w in call if w.endswith(":/scratch")).removesuffix("/work:/scratch")
    assert work.startswith(f"{sandbox.work}/calls/sub-01+2-")
    assert call == [
        *("run", "--rm", "-e", "DOCKER_VERSION_8395080871=28.0.0"),
        *("-u", f"{os.getuid()}:{os.getgid()}"),
        *("-v", f"{sandbox.folder}/license.txt:/opt/freesurfer/license.txt:ro"),
        *("-v", f"{sandbox.bids}:/data:ro"),
        *("-v", f"{work}/out:/out", "-v", f"{work}/work:/scratch"),
        *("nipreps/fmriprep:25.2.7", "/data", "/out", "participant"),
        *("--participant-label", "01", "02", "03", "--task-id=rest", "--nthreads", "2"),
        *("--omp-nthreads", "2", "--mem_mb", "9000", "--skip-bids-validation", "--notrack"),
        *("-w", "/scratch", "--output-spaces", "MNI152NLin6Asym:res-2"),
    ]


@pytest.mark.parametrize("runner", ["apptainer", "singularity"])
def test_an_image_file_is_run(sandbox: Sandbox, runner: str) -> None:
    (sandbox.folder / "f.sif").write_text("image")
    table = sandbox.run(runner=runner, image=str(sandbox.folder / "f.sif"))
    assert list(table["status"]) == ["ok"] * 4
    (words,) = sandbox.commands(runner)
    assert words[:4] == ["run", "--cleanenv", "--bind", f"{sandbox.bids}:/data:ro"]


@pytest.mark.parametrize("runner", ["docker", "apptainer", "native"])
def test_filters_of_the_data_set_reach_fmriprep(sandbox: Sandbox, runner: str) -> None:
    filters = bids_filters({"acq": "mb", "dir": ["AP", None]}, {"rec": "norm"})
    (sandbox.folder / "f.sif").write_text("image")
    image = {"image": str(sandbox.folder / "f.sif")} if runner == "apptainer" else {}
    table = sandbox.run(filters=filters, runner=runner, participants_per_call=3, **image)
    assert list(table["status"]) == ["ok"] * 4
    ((text,),) = sandbox.commands("filters")
    assert json.loads(text) == {
        "bold": {
            **{"datatype": "func", "suffix": "bold"},
            **{"acquisition": "mb", "direction": ["AP", None]},
        },
        "t1w": {"datatype": "anat", "suffix": "T1w", "reconstruction": "norm"},
    }
    assert not any("filter" in path.name for path in sandbox.out.rglob("*"))


def test_other_filters_preprocess_again(sandbox: Sandbox) -> None:
    names = set()
    for filters in ({}, bids_filters({"acq": "mb"}, {}), bids_filters({"acq": "sb"}, {})):
        scans = {"sub-01": [RawScan("sub-01_task-rest", "sub-01")]}
        workspace = Workspace(sandbox.work, sandbox.bids, scans, Fmriprep(), filters)
        names.add(workspace.call_name(["sub-01"]))
    assert len(names) == 3


def test_outputs_are_where_parcellate_expects_them(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="semantoks"):
        table = sandbox.run(participants_per_call=2)
    assert sandbox.participants() == [["01", "02"], ["03"]]
    assert "call 1 of 2: sub-01, sub-02, 2 of 2 participants complete, exit status 0" in caplog.text
    written = pd.read_csv(sandbox.out / "scans.tsv", sep="\t")
    assert list(written.columns) == COLUMNS
    assert written["dice"].isna().all()
    assert (table["mean_fd"] == 0.1).all()
    assert (table["n_volumes"] == 12).all()
    assert (table["repetition_time"] == 2.0).all()
    assert table.loc[RUNS[0], "seconds"] == table.loc["sub-01_task-rest", "seconds"]
    bold = bold_for_parcellate(sandbox)
    assert space_of(bold) == "MNI152NLin6Asym"
    confounds, _ = load_confounds(bold, "simple", Parcellation())
    assert confounds is not None and len(confounds) == 12
    assert generated_by(sandbox.out) == "fMRIPrep 25.2.7"
    assert (sandbox.out / "sourcedata/freesurfer/sub-03/scripts").is_dir()
    assert "fMRIPrep started!" in (sandbox.out / "logs/sub-01+1.log").read_text()
    assert not sandbox.work.exists()


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("confounds", "fMRIPrep wrote no confounds (exit status 0; see logs/sub-01+2.log)"),
        ("mask", "fMRIPrep wrote no brain mask (exit status 0; see logs/sub-01+2.log)"),
        ("cut", "fMRIPrep wrote a preprocessed BOLD image in MNI152NLin6Asym:res-2 that cannot be"),
        ("sidecar", "fMRIPrep wrote no sidecar of the BOLD image (exit status 0;"),
    ],
)
def test_a_missing_output_fails_only_its_scan(sandbox: Sandbox, missing: str, reason: str) -> None:
    sandbox.fail(missing={RUNS[0]: missing})
    table = sandbox.run()
    assert table.loc[RUNS[0], "reason"].startswith(reason)
    assert (table.drop(RUNS[0])["status"] == "ok").all()
    assert bold_for_parcellate(sandbox).exists()


@pytest.mark.parametrize(
    "names", [{"participant_id": "sub---user"}, {"participant_id": "sub-é"}, {"task": "-x"}]
)
def test_names_that_are_no_labels_never_reach_a_command_line(
    sandbox: Sandbox, names: dict[str, str]
) -> None:
    scans = sandbox.scans()
    odd = scans["scan"].iloc[0]
    scans.loc[scans["scan"] == odd, list(names)] = list(names.values())
    table = sandbox.run(scans)
    assert table.loc[odd, "reason"].endswith("has more than letters and digits")
    assert (table.drop(odd)["status"] == "ok").all()


def test_exit_status_0_without_outputs_is_a_failure(sandbox: Sandbox) -> None:
    sandbox.fail(nothing=True)
    table = sandbox.run()
    assert (table["status"] == "failed").all()
    assert table["reason"].iloc[0] == (
        "fMRIPrep wrote no preprocessed BOLD image in MNI152NLin6Asym:res-2, no brain mask, no "
        "confounds and no sidecar of the BOLD image (exit status 0; see logs/sub-01+2.log)"
    )
    assert sandbox.participants() == [["01", "02", "03"]]
    assert generated_by(sandbox.out) == "fMRIPrep"


def test_participants_are_retried_alone_when_a_call_is_aborted(sandbox: Sandbox) -> None:
    sandbox.fail(abort=["02"])
    table = sandbox.run()
    assert sandbox.participants() == [["01", "02", "03"], ["02"], ["03"]]
    failed = table[table["status"] == "failed"]
    assert tuple(failed.index) == RUNS
    assert failed["reason"].str.endswith("(exit status 1; see logs/sub-02.log)").all()


def test_a_participant_on_whom_fmriprep_crashes_is_retried_once(sandbox: Sandbox) -> None:
    sandbox.fail(crash=["03"])
    table = sandbox.run()
    assert sandbox.participants() == [["01", "02", "03"], ["03"]]
    assert list(table["status"]) == ["ok", "ok", "ok", "failed"]
    assert not (sandbox.out / "sub-03").exists()


def test_participants_without_t1w_image_are_not_passed_to_fmriprep(sandbox: Sandbox) -> None:
    scans = sandbox.scans()
    scans.loc[scans["participant_id"] == "sub-02", "t1w"] = ""
    table = sandbox.run(scans)
    assert sandbox.participants() == [["01", "03"]]
    assert set(table.loc[table["status"] == "failed", "reason"]) == {
        "no T1w image for this participant, which fMRIPrep needs"
    }


def test_an_empty_shard_needs_no_program(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.setenv("PATH", "/nowhere")
    assert sandbox.run(sandbox.scans().iloc[:0]).empty
    assert (sandbox.out / "scans.tsv").exists()


@pytest.mark.parametrize("runner", ["apptainer", "native"])
def test_each_folder_of_a_data_set_is_a_call_of_its_own(sandbox: Sandbox, runner: str) -> None:
    """FMRIPrep gets the BIDS data set of the participants, and a container what is around it."""
    (sandbox.folder / "f.sif").write_text("image")
    image = {"image": str(sandbox.folder / "f.sif")} if runner == "apptainer" else {}
    for number, site in (("01", "Site-RU"), ("02", "Site-SI"), ("03", "Site-SI")):
        (sandbox.bids / "MRI" / site).mkdir(parents=True, exist_ok=True)
        (sandbox.bids / f"sub-{number}").rename(sandbox.bids / "MRI" / site / f"sub-{number}")
    table = sandbox.run(runner=runner, participants_per_call=3, **image)
    assert list(table["status"]) == ["ok"] * 4
    assert bold_for_parcellate(sandbox).parent == sandbox.out / "sub-02/func"
    calls = sandbox.commands("fmriprep" if runner == "native" else runner)
    roots = [sandbox.bids / "MRI/Site-RU", sandbox.bids / "MRI/Site-SI"]
    people = [
        call[call.index("--participant-label") + 1 : call.index("--task-id=rest")] for call in calls
    ]
    assert people == [["01"], ["02", "03"]]
    for call, root in zip(calls, roots, strict=True):
        if runner == "native":
            assert call[0] == str(root)
        else:
            mounted = [call[n + 1] for n, word in enumerate(call) if word == "--bind"]
            assert mounted[:2] == [f"{root}:{root}:ro", f"{sandbox.bids}:{sandbox.bids}:ro"]


def test_raw_images_in_another_layout_become_bids(sandbox: Sandbox) -> None:
    """FMRIPrep gets one file per run with its TR, voxels as they were stored; nothing stays."""
    volumes = np.random.default_rng(0).integers(0, 900, (4, 4, 4, 12)).astype(np.int16)
    rows = []
    for person in ("sub-0001", "sub-0002"):
        paths = write_stack(sandbox.bids / "data" / person / "rsfmri", volumes)
        (sandbox.bids / "data" / person / "t1").mkdir()
        t1w = sandbox.bids / "data" / person / "t1/defaced_mprage.nii"
        nib.save(nib.Nifti1Image(volumes[..., 0], np.eye(4)), t1w)
        scan = RawScan(
            f"{person}_task-rest",
            person,
            task="rest",
            bold=f"data/{person}/rsfmri/vol_*",
            t1w=str(t1w.relative_to(sandbox.bids)),
            repetition_time=2.5,
        )
        rows.append(asdict(scan))
    odd = nib.Nifti1Image(volumes[..., 0], np.diag([9.0, 9, 9, 1]))
    nib.save(odd, sandbox.folder / "odd.nii")
    (sandbox.folder / "odd.nii").rename(paths[3])
    sandbox.fail(crash=["0002"])
    table = sandbox.run(pd.DataFrame(rows), participants_per_call=2)
    assert table["status"].to_dict() == {
        "sub-0001_task-rest": "ok",
        "sub-0002_task-rest": "failed",
    }
    assert "vol_0004 and vol_0001 differ in their affines" in table["reason"].iloc[1]
    assert (sandbox.out / "sub-0001/func").is_dir()
    (call,) = {words[0] for words in sandbox.commands("fmriprep")}
    bids = Path(call)
    assert bids.name == "bids" and bids.parent.parent == sandbox.work / "calls"
    run = nib.load(bids / "sub-0001/func/sub-0001_task-rest_bold.nii.gz")
    np.testing.assert_array_equal(np.asarray(run.dataobj), volumes)
    np.testing.assert_array_equal(run.affine, np.diag([4.0, 4, 4, 1]))
    assert run.header.get_zooms()[3] == 2.5 and run.get_data_dtype() == np.int16
    sidecar = bids / "sub-0001/func/sub-0001_task-rest_bold.json"
    assert json.loads(sidecar.read_text()) == {"TaskName": "rest", "RepetitionTime": 2.5}
    assert (bids / "sub-0001/anat/sub-0001_T1w.nii").is_file()
    assert not list(bids.glob("sub-0002/func/*"))
