"""The engine `fmriprep` against programs that stand in for docker, apptainer and fMRIPrep.

The wrapper fmriprep-docker is the real one. What stands in is in ``tests/stand_ins``.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from semantoks.artifacts.provenance import generated_by
from semantoks.artifacts.tables import read_shard
from semantoks.config import Parcellation
from semantoks.data.atlas.files import Atlas
from semantoks.data.parcellate.confounds import load_confounds
from semantoks.data.parcellate.images import find_bold, space_of
from semantoks.data.preprocess.minimal.derivatives import describe
from semantoks.data.preprocess.stage import COLUMNS, preprocess_shard
from semantoks.errors import UserError
from tests.stand_ins.site import RUNS, Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, monkeypatch)


def image_of(site: Site) -> Path:
    """Find the image of a person's first run as `parcellate` does."""
    atlas = Atlas("any", None, pd.DataFrame(), "MNI152NLin6Asym", "")
    return find_bold(site.out / "sub-02", RUNS[1], atlas, "simple")


def test_docker_by_way_of_the_real_wrapper(site: Site) -> None:
    table = site.run(runner="docker")
    assert list(table["status"]) == ["ok"] * 4
    call = next(words for words in site.commands("docker") if "participant" in words)
    work = next(w for w in call if w.endswith(":/scratch")).removesuffix("/work:/scratch")
    assert work.startswith(f"{site.folder}/shard-0000_work/calls/sub-01+2-")
    assert call == [
        *("run", "--rm", "-e", "DOCKER_VERSION_8395080871=28.0.0"),
        *("-u", f"{os.getuid()}:{os.getgid()}"),
        *("-v", f"{site.folder}/license.txt:/opt/freesurfer/license.txt:ro"),
        *("-v", f"{site.bids}:/data:ro", "-v", f"{work}/out:/out", "-v", f"{work}/work:/scratch"),
        *("nipreps/fmriprep:25.2.7", "/data", "/out", "participant"),
        *("--participant-label", "01", "02", "03", "--task-id", "rest", "--nthreads", "2"),
        *("--omp-nthreads", "2", "--mem_mb", "9000", "--skip-bids-validation", "--notrack"),
        *("-w", "/scratch", "--output-spaces", "MNI152NLin6Asym:res-2"),
    ]


@pytest.mark.parametrize("runner", ["apptainer", "singularity"])
def test_an_image_file(site: Site, runner: str) -> None:
    (site.folder / "f.sif").write_text("image")
    table = site.run(runner=runner, image=str(site.folder / "f.sif"))
    assert list(table["status"]) == ["ok"] * 4
    (words,) = site.commands(runner)
    assert words[:4] == ["run", "--cleanenv", "--bind", f"{site.bids}:/data:ro"]


def test_results_are_where_the_next_step_looks(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="semantoks"):
        table = site.run(participants_per_call=2)
    assert site.people() == [["01", "02"], ["03"]]
    assert "call 1 of 2: sub-01, sub-02, 2 of 2 people complete, exit status 0" in caplog.text
    written = pd.read_csv(site.out / "scans.tsv", sep="\t")
    assert list(written.columns) == COLUMNS
    assert written["dice"].isna().all()
    assert (table["mean_fd"] == 0.1).all()
    assert (table["n_volumes"] == 12).all()
    assert (table["repetition_time"] == 2.0).all()
    assert (
        table.loc["sub-02_task-rest_run-1", "seconds"] == table.loc["sub-01_task-rest", "seconds"]
    )
    bold = image_of(site)
    assert space_of(bold) == "MNI152NLin6Asym"
    confounds, _ = load_confounds(bold, "simple", Parcellation())
    assert confounds is not None and len(confounds) == 12
    assert generated_by(site.out) == "fMRIPrep 25.2.7"
    assert (site.out / "sourcedata/freesurfer/sub-03/scripts").is_dir()
    assert "fMRIPrep started!" in (site.out / "logs/sub-01+1.log").read_text()
    assert not site.out.with_name("shard-0000_work").exists()


def test_the_engine_tells_its_version(tmp_path: Path) -> None:
    assert generated_by(tmp_path) == ""
    describe(tmp_path)
    assert generated_by(tmp_path).startswith("semantoks minimal 0.")
    old = {"PipelineDescription": {"Name": "fMRIPrep", "Version": "1.5.0"}}
    (tmp_path / "dataset_description.json").write_text(json.dumps(old))
    assert generated_by(tmp_path) == "fMRIPrep 1.5.0"


def test_names_and_folders_of_old_versions(site: Site) -> None:
    site.fail(old=True)
    table = site.run()
    assert list(table["status"]) == ["ok"] * 4
    name = "sub-01/func/sub-01_task-rest_desc-confounds_regressors.tsv"
    assert (site.out / name).exists()
    assert (site.out / "sourcedata/freesurfer/sub-01").is_dir()
    assert generated_by(site.out) == "fMRIPrep 20.1.3"


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("confounds", "fMRIPrep wrote no confounds (exit status 0; see logs/sub-01+2.log)"),
        ("mask", "fMRIPrep wrote no brain mask (exit status 0; see logs/sub-01+2.log)"),
        ("cut", "fMRIPrep wrote a preprocessed BOLD image in MNI152NLin6Asym:res-2 that cannot be"),
        ("sidecar", "fMRIPrep wrote no sidecar of the BOLD image (exit status 0;"),
    ],
)
def test_one_missing_output_is_one_scans_reason(site: Site, missing: str, reason: str) -> None:
    site.fail(missing={RUNS[0]: missing})
    table = site.run()
    assert table.loc[RUNS[0], "reason"].startswith(reason)
    assert (table.drop(RUNS[0])["status"] == "ok").all()
    assert image_of(site).exists()


def test_a_success_without_outputs_is_none(site: Site) -> None:
    site.fail(nothing=True)
    table = site.run()
    assert (table["status"] == "failed").all()
    assert table["reason"].iloc[0] == (
        "fMRIPrep wrote no preprocessed BOLD image in MNI152NLin6Asym:res-2, no brain mask, no "
        "confounds and no sidecar of the BOLD image (exit status 0; see logs/sub-01+2.log)"
    )
    assert site.people() == [["01", "02", "03"]]
    assert generated_by(site.out) == "fMRIPrep"


def test_one_person_takes_no_others_along(site: Site) -> None:
    site.fail(abort=["02"])
    table = site.run()
    assert site.people() == [["01", "02", "03"], ["02"], ["03"]]
    failed = table[table["status"] == "failed"]
    assert tuple(failed.index) == RUNS
    assert failed["reason"].str.endswith("(exit status 1; see logs/sub-02.log)").all()


def test_a_second_try_goes_on_where_the_first_failed(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.fail(missing={RUNS[0]: "mask"})
    site.run()
    assert "sub-02 failed; " in caplog.text
    site.fail()
    assert (site.run()["status"] == "ok").all()
    log = (site.out / "logs/sub-01+2.log").read_text()
    assert "sub-01 begun" in log  # its files had gone to the shard's folder
    assert "sub-02 resumed" in log
    assert not site.out.with_name("shard-0000_work").exists()


def test_a_crash_with_all_others_complete_is_tried_once_more(site: Site) -> None:
    site.fail(crash=["03"])
    table = site.run()
    assert site.people() == [["01", "02", "03"], ["03"]]
    assert list(table["status"]) == ["ok", "ok", "ok", "failed"]
    assert not (site.out / "sub-03").exists()


def test_people_without_t1w_are_not_given_to_it(site: Site) -> None:
    scans = site.scans()
    scans.loc[scans["participant_id"] == "sub-02", "t1w"] = ""
    table = site.run(scans)
    assert site.people() == [["01", "03"]]
    assert set(table.loc[table["status"] == "failed", "reason"]) == {
        "no T1w image of this person, and fMRIPrep needs one"
    }


def test_an_empty_shard_needs_no_program(site: Site) -> None:
    site.monkeypatch.setenv("PATH", "/nowhere")
    assert site.run(site.scans().iloc[:0]).empty
    assert (site.out / "scans.tsv").exists()


# Killed


def _wait(what: Any) -> None:
    until = time.monotonic() + 30
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def _alive(text: str) -> list[int]:
    """Processes whose command line has `text`, other than this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in line and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


@pytest.mark.parametrize("runner", ["native", "docker"])
def test_killed_it_ends_its_children_and_goes_on(site: Site, runner: str) -> None:
    site.fail(hang=["03"])
    site.commands_file.write_text("")
    started = site.start(runner=runner, participants_per_call=2)
    log = site.folder / "shard-0000_work/logs/sub-03.log"
    _wait(lambda: log.exists() and "hangs" in log.read_text())
    started.send_signal(signal.SIGKILL)
    started.wait()
    _wait(lambda: not _alive(str(site.bids)))
    assert (site.folder / "shard-0000_work/done/sub-02/rows.json").exists()
    assert not (site.out / "scans.tsv").exists()
    site.fail()
    table = site.run(read_shard(site.table()), runner=runner, participants_per_call=2)
    assert site.people() == [["03"]]
    assert (table["status"] == "ok").all()
    assert "sub-03 resumed" in (site.out / "logs/sub-03.log").read_text()


def test_a_container_that_outlived_even_the_guard_is_ended_by_the_next_run(site: Site) -> None:
    site.fail(hang=["03"])
    started = site.start(runner="docker")
    log = site.folder / "shard-0000_work/logs/sub-01+2.log"
    _wait(lambda: log.exists() and "hangs" in log.read_text())
    for process in [*psutil.Process(started.pid).children(recursive=True), started]:
        if "container" not in Path(f"/proc/{process.pid}/cmdline").read_text().split("\0"):
            process.kill()
    started.wait()
    (container,) = _alive(str(site.bids))
    site.fail()
    assert (site.run(read_shard(site.table()), runner="docker")["status"] == "ok").all()
    assert _alive(str(site.bids)) == []
    assert ["kill", str(container)] in site.commands("docker")


def test_what_was_done_and_is_damaged_is_done_again(site: Site) -> None:
    site.fail(hang=["03"])
    site.commands_file.write_text("")
    started = site.start(participants_per_call=1)
    log = site.folder / "shard-0000_work/logs/sub-03.log"
    _wait(lambda: log.exists() and "hangs" in log.read_text())
    started.terminate()
    started.wait()
    _wait(lambda: not _alive(str(site.bids)))
    next((site.folder / "shard-0000_work/done/sub-01").rglob("*brain_mask.nii.gz")).unlink()
    site.fail()
    scans = read_shard(site.table())
    assert (site.run(scans, participants_per_call=1)["status"] == "ok").all()
    assert site.people() == [["01"], ["03"]]


# What is missing before anything is run


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runner": "docker"}, "Runner 'docker' needs the program fmriprep-docker, which is not"),
        ({"runner": "singularity", "image": "x"}, "needs the program singularity, which is not on"),
        ({"runner": "native"}, "needs the program fmriprep, which is not on PATH. Install it, or"),
    ],
)
def test_a_missing_program(site: Site, settings: dict[str, Any], message: str) -> None:
    site.monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError) as error:
        site.run(**settings)
    assert message in str(error.value)


def test_a_missing_licence_image_or_service(site: Site) -> None:
    with pytest.raises(UserError, match="FreeSurfer licence file and there is no /x.txt. Get one"):
        site.run(license="/x.txt")
    with pytest.raises(UserError, match="FreeSurfer licence file and none is named"):
        site.run(license=None)
    with pytest.raises(UserError, match="there is no /no.sif. Make it with `apptainer build no.si"):
        site.run(runner="apptainer", image="/no.sif")
    site.monkeypatch.setenv("DOCKER_DOWN", "1")
    with pytest.raises(UserError, match="does not answer .Cannot connect to the Docker daemon"):
        site.run(runner="docker")
    assert site.people() == []
    site.monkeypatch.setenv("FS_LICENSE", str(site.folder / "license.txt"))
    assert (site.run(license=None)["status"] == "ok").all()


def test_a_folder_that_no_container_can_be_given(site: Site) -> None:
    odd = site.folder / "a:b"
    with pytest.raises(UserError, match="because of the ':' in its name"):
        preprocess_shard(site.scans(), odd, site.out, site.settings(runner="docker"), 1)
