"""What a user may set for fMRIPrep, and the command line it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semantoks.config import Fmriprep
from semantoks.config.validation import complete
from semantoks.data.preprocess.fmriprep.command import Call, command
from semantoks.data.preprocess.fmriprep.outputs import space_names
from semantoks.errors import UserError

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
    *("--task-id", "rest", "--nthreads", "12", "--omp-nthreads", "8", "--mem_mb", "16000"),
    *("--skip-bids-validation", "--notrack"),
]


# The command line


def test_docker_goes_through_its_wrapper() -> None:
    assert command(CALL, Fmriprep(version="24.1.1", arguments=["--fs-no-reconall"])) == [
        *("fmriprep-docker", "/raw data/Köln", "/o", "participant", "--no-tty"),
        *("--image", "nipreps/fmriprep:24.1.1", "--user", "1000:100"),
        *("--fs-license-file", "/l.txt", "--work-dir", "/w"),
        *OPTIONS,
        "--fs-no-reconall",
    ]


@pytest.mark.parametrize("runner", ["apptainer", "singularity"])
def test_images_are_run_with_binds(runner: Any) -> None:
    assert command(CALL, Fmriprep(runner=runner, image="/my images/f.sif")) == [
        *(runner, "run", "--cleanenv"),
        *("--bind", "/raw data/Köln:/data:ro", "--bind", "/o:/out", "--bind", "/w:/scratch"),
        *("--bind", "/l.txt:/opt/freesurfer/license.txt:ro", "/my images/f.sif"),
        *("/data", "/out", "participant"),
        *("--fs-license-file", "/opt/freesurfer/license.txt", "--work-dir", "/scratch"),
        *OPTIONS,
    ]


def test_an_installed_one_is_called_as_it_is() -> None:
    assert command(CALL, Fmriprep(runner="native")) == [
        *("fmriprep", "/raw data/Köln", "/o", "participant"),
        *("--fs-license-file", "/l.txt", "--work-dir", "/w"),
        *OPTIONS,
    ]


def test_versions_name_spaces_with_and_without_resolution() -> None:
    assert space_names("MNI152NLin6Asym:res-2") == [
        "space-MNI152NLin6Asym_res-2",
        "space-MNI152NLin6Asym",
    ]
    assert space_names("MNIPediatricAsym:res-1:cohort-3")[1] == "space-MNIPediatricAsym_cohort-3"
    assert space_names("MNI152NLin2009cAsym:res-native") == ["space-MNI152NLin2009cAsym"]


# The configuration


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runner": "apptainer"}, "fmriprep: runner 'apptainer' needs 'image', the path of a .sif"),
        ({"image": "f.sif"}, "'image' is for apptainer and singularity; runner 'docker' takes"),
        ({"runner": "podman"}, "fmriprep.runner is 'podman'; known: apptainer, docker, native"),
        ({"output_space": "fsaverage5"}, "'fsaverage5' is not a volume in a template space"),
        ({"output_space": "T1w"}, "'T1w' is not a volume"),
        ({"output_space": "A B"}, "fmriprep.output_space is 'A B': string should match pattern"),
        ({"arguments": ["--output-spaces", "T1w"]}, "'--output-spaces' cannot be given; set 'outp"),
        ({"arguments": ["--nthreads=3"]}, "'--nthreads' cannot be given; it follows the threads"),
        ({"arguments": ["-w", "x"]}, "'-w' cannot be given; the engine gives each call its own"),
        (
            {"arguments": ["--participant-label", "1"]},
            "names the participants of each call",
        ),
        ({"participants_per_call": 0}, "participants_per_call is '0'"),
        ({"licence": "x"}, "did you mean 'preprocessing.fmriprep.license'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(settings: dict[str, Any], message: str) -> None:
    config = {"datasets": {"a": {"path": "a"}}, "preprocessing": {"fmriprep": settings}}
    with pytest.raises(UserError) as error:
        complete(config, "config.yaml")
    assert message in str(error.value)
