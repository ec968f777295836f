"""What a user may set for fMRIPrep."""

from __future__ import annotations

from typing import Any

import pytest

from semantoks.config.validation import complete
from semantoks.errors import UserError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runner": "apptainer"}, "fmriprep: runner 'apptainer' needs 'image', the path of a .sif"),
        ({"image": "f.sif"}, "'image' is for apptainer and singularity; runner 'docker' takes"),
        ({"runner": "podman"}, "fmriprep.runner is 'podman'; known: apptainer, docker, native"),
        ({"output_space": "fsaverage5"}, "'fsaverage5' is not a volume in a template space"),
        ({"output_space": "T1w"}, "'T1w' is not a volume"),
        ({"output_space": "A B"}, "fmriprep.output_space is 'A B', expected a text of the form"),
        ({"arguments": ["--output-spaces", "T1w"]}, "'--output-spaces' cannot be given; set 'outp"),
        ({"arguments": ["--nthreads=3"]}, "'--nthreads' cannot be given; it follows the threads"),
        ({"arguments": ["-w", "x"]}, "'-w' cannot be given; the engine gives each call its own"),
        (
            {"arguments": ["--participant-label", "1"]},
            "names the participants of each call",
        ),
        ({"arguments": ["-iother/image"]}, "'-iother/image' cannot be given; set 'version'"),
        ({"arguments": ["--imag=other/image"]}, "'--imag' cannot be given; set 'version' or"),
        ({"arguments": ["-u", "0"]}, "'-u' cannot be given"),
        ({"arguments": ["--user", "0"]}, "'--user' cannot be given"),
        ({"arguments": ["--patch", "fmriprep=/evil"]}, "'--patch' cannot be given"),
        ({"arguments": ["--use-plugin", "evil.yml"]}, "'--use-plugin' cannot be given"),
        ({"arguments": ["--fs-subjects-dir=/home"]}, "'--fs-subjects-dir' cannot be given"),
        ({"arguments": ["--", "x"]}, "'--' cannot be given"),
        ({"arguments": ["x"]}, "'x' does not belong to an option"),
        ({"arguments": ["--ignore", "../../etc/passwd"]}, "the value '../../etc/passwd' cannot"),
        ({"arguments": ["--ignore", "@file"]}, "the value '@file' cannot be given"),
        ({"participants_per_call": 0}, "participants_per_call is '0'"),
        ({"licence": "x"}, "did you mean 'preprocessing.fmriprep.license'"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(settings: dict[str, Any], message: str) -> None:
    config = {"datasets": {"a": {"path": "a"}}, "preprocessing": {"fmriprep": settings}}
    with pytest.raises(UserError) as error:
        complete(config, "config.yaml")
    assert message in str(error.value)


def test_options_that_change_the_processing_are_allowed() -> None:
    arguments = ["--fs-no-reconall", "--ignore", "slicetiming", "sbref", "--dummy-scans=4"]
    settings = {"arguments": [*arguments, "--fd-spike-threshold", "0.5", "--cifti-output", "91k"]}
    config = {"datasets": {"a": {"path": "a"}}, "preprocessing": {"fmriprep": settings}}
    assert complete(config, "c.yaml")["preprocessing"]["fmriprep"]["arguments"][:5] == arguments
