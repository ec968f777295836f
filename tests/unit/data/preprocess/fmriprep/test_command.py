"""The command line of each way of running fMRIPrep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semantoks.config import Fmriprep
from semantoks.data.preprocess.fmriprep.command import Call, command

CALL = Call(
    participants=("sub-01", "sub-02"),
    bids=Path("/raw data/Köln"),
    out=Path("/o"),
    work=Path("/w"),
    license=Path("/l.txt"),
    threads=12,
    memory=16000,
    task="rest",
    user="1000:100",
)
OPTIONS = [
    *("--output-spaces", "MNI152NLin6Asym:res-2", "--participant-label", "01", "02"),
    *("--task-id=rest", "--nthreads", "12", "--omp-nthreads", "8", "--mem_mb", "16000"),
    *("--skip-bids-validation", "--notrack"),
]


def test_docker_is_run_through_its_wrapper() -> None:
    assert command(CALL, Fmriprep(version="24.1.1", arguments=["--fs-no-reconall"])) == [
        *("fmriprep-docker", "/raw data/Köln", "/o", "participant", "--no-tty"),
        *("--image", "nipreps/fmriprep:24.1.1", "--user", "1000:100"),
        *("--fs-license-file", "/l.txt", "--work-dir", "/w"),
        *OPTIONS,
        "--fs-no-reconall",
    ]


@pytest.mark.parametrize("runner", ["apptainer", "singularity"])
def test_image_files_are_run_with_bind_mounts(runner: Any) -> None:
    assert command(CALL, Fmriprep(runner=runner, image="/my images/f.sif")) == [
        *(runner, "run", "--cleanenv"),
        *("--bind", "/raw data/Köln:/data:ro", "--bind", "/o:/out", "--bind", "/w:/scratch"),
        *("--bind", "/l.txt:/opt/freesurfer/license.txt:ro", "/my images/f.sif"),
        *("/data", "/out", "participant"),
        *("--fs-license-file", "/opt/freesurfer/license.txt", "--work-dir", "/scratch"),
        *OPTIONS,
    ]


@pytest.mark.parametrize(
    ("settings", "file"),
    [
        ({"runner": "docker"}, "/w/bids_filter.json"),
        ({"runner": "apptainer", "image": "f.sif"}, "/scratch/bids_filter.json"),
        ({"runner": "native"}, "/w/bids_filter.json"),
    ],
)
def test_filters_are_a_file_in_the_working_folder(settings: dict[str, Any], file: str) -> None:
    call = replace(CALL, filters=Path("/w/bids_filter.json"))
    words = command(call, Fmriprep(**settings))
    assert words[words.index("--bids-filter-file") + 1] == file


def test_an_installed_fmriprep_is_run_directly() -> None:
    assert command(CALL, Fmriprep(runner="native")) == [
        *("fmriprep", "/raw data/Köln", "/o", "participant"),
        *("--fs-license-file", "/l.txt", "--work-dir", "/w"),
        *OPTIONS,
    ]


def test_folders_that_links_lead_to_are_mounted_where_they_are(tmp_path: Path) -> None:
    """Relative links that leave the data set, such as ../store, lead to the same place inside."""
    (tmp_path / "studies/raw").mkdir(parents=True)
    (tmp_path / "alias").symlink_to(tmp_path / "studies")
    call = replace(
        CALL, bids=tmp_path / "alias/raw", stores=(Path("/store/a"), tmp_path / "studies/store")
    )
    words = command(call, Fmriprep(runner="apptainer", image="/f.sif"))
    raw = f"{tmp_path}/studies/raw"
    assert words[3:] == [
        *("--bind", f"{tmp_path}/alias/raw:{raw}:ro", "--bind", "/store/a:/store/a:ro"),
        *("--bind", f"{tmp_path}/studies/store:{tmp_path}/studies/store:ro"),
        *("--bind", "/o:/out", "--bind", "/w:/scratch"),
        *("--bind", "/l.txt:/opt/freesurfer/license.txt:ro", "/f.sif"),
        *(raw, "/out", "participant"),
        *("--fs-license-file", "/opt/freesurfer/license.txt", "--work-dir", "/scratch"),
        *OPTIONS,
    ]
