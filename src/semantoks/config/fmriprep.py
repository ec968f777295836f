"""How fMRIPrep is run, and which of its options a configuration may add."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from pydantic import Field, field_validator, model_validator

from semantoks.config.base import Settings
from semantoks.config.suggestions import suggest

# fMRIPrep's nonstandard spaces: coordinates of one participant, in which no atlas is defined.
_NO_TEMPLATES = ("anat", "T1w", "run", "func", "boldref", "sbref", "fsnative")
# Options that do no more than change how images are processed. Others name files and folders,
# load plugins, choose another image or user of the container, or leave out what is needed.
_ALLOWED = (
    *("--fs-no-reconall", "--no-submm-recon", "--fs-no-resume", "--no-msm", "--cifti-output"),
    *("--project-goodvoxels", "--medial-surface-nan", "--longitudinal"),
    *("--subject-anatomical-reference", "--skull-strip-template", "--skull-strip-fixed-seed"),
    *("--skull-strip-t1w", "--random-seed", "--dummy-scans", "--slice-time-ref", "--ignore"),
    *("--force", "--force-bbr", "--force-no-bbr", "--force-syn", "--use-syn-sdc"),
    *("--bold2t1w-init", "--bold2t1w-dof", "--bold2anat-init", "--bold2anat-dof"),
    *("--fmap-bspline", "--fmap-no-demean", "--me-output-echos", "--me-t2s-fit-method"),
    *("--use-aroma", "--aroma-melodic-dimensionality", "--error-on-aroma-warnings"),
    *("--return-all-components", "--fd-spike-threshold", "--dvars-spike-threshold"),
    *("--low-mem", "--stop-on-first-crash", "--resource-monitor", "--md-only-boilerplate"),
    *("--output-layout", "--aggregate-session-reports", "--sloppy", "--write-graph"),
)
# Options that the engine sets itself, and what to do instead.
_SET_BY_ENGINE = {
    option: instead
    for instead, options in {
        "set 'output_space' instead": ["--output-spaces"],
        "set 'license' instead": ["--fs-license-file"],
        "set 'version' or 'image' instead": ["-i", "--image"],
        "set the data set's 'task' instead": ["-t", "--task-id", "--task_id"],
        "set the data set's 'entities' instead": ["--bids-filter-file", "--echo-idx"],
        "the engine names the participants of each call": [
            *("--participant-label", "--participant_label")
        ],
        "the engine gives each call its own folder": ["-w", "--work-dir", "--work_dir"],
        "it follows the threads of rule preprocess": [
            *("--nprocs", "--nthreads", "--n_cpus", "--n-cpus", "--omp-nthreads")
        ],
        "it follows the memory of rule preprocess": ["--mem", "--mem_mb", "--mem-mb"],
        "the engine sets it already": [
            *("--notrack", "--no-tty", "--skip-bids-validation", "--skip_bids_validation")
        ],
        "with it no BOLD images are written, and the next steps need them": [
            *("-h", "--help", "--version", "--shell", "--anat-only", "--anat_only", "--level"),
            *("--boilerplate-only", "--boilerplate_only", "--reports-only", "--reports_only"),
        ],
    }.items()
    for option in options
}
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")


def check_arguments(arguments: Sequence[str]) -> None:
    """Check that arguments are allowed options and plain values.

    argparse, which reads them, also takes abbreviations (``--imag x``), values that are glued to
    an option (``-ix``, ``--image=x``) and more. Only what is spelled in full is accepted here.

    Raises
    ------
    ValueError
    """
    for argument in arguments:
        name, separator, value = argument.partition("=")
        if name.startswith("-"):
            _check_option(name)
        values = [value] if separator else [] if name.startswith("-") else [argument]
        for word in values:
            if not _VALUE.fullmatch(word):
                raise ValueError(
                    f"the value '{word}' cannot be given; values are words or numbers, and files "
                    "and folders have keys of their own"
                )
    if arguments and not arguments[0].startswith("-"):
        raise ValueError(f"'{arguments[0]}' does not belong to an option; begin with an option")


def _check_option(name: str) -> None:
    instead = {
        text
        for option, text in _SET_BY_ENGINE.items()
        # Abbreviations of long options, and short ones with a value glued to them.
        if option == name
        or (option.startswith(name) and name.startswith("--") and name not in _ALLOWED)
        or (len(option) == 2 and name.startswith(option) and not name.startswith("--"))
    }
    if instead:
        raise ValueError(f"'{name}' cannot be given; {min(instead)}")
    if name not in _ALLOWED:
        raise ValueError(f"'{name}' cannot be given; {suggest(name, _ALLOWED)}")


class Fmriprep(Settings):
    """How fMRIPrep is run if `preprocessing.engine` is `fmriprep`."""

    runner: Literal["docker", "apptainer", "singularity", "native"] = Field(
        "docker",
        description="`docker` (using fmriprep-docker), `apptainer` or `singularity` (need "
        "`image`), or `native` for a `fmriprep` on PATH.",
    )
    version: str = Field(
        "25.2.7",
        # A word of a command line: it must not begin with a dash, as an option does.
        pattern=r"^[A-Za-z0-9][\w.-]*$",
        description="Version; `docker` uses the image nipreps/fmriprep of this version.",
    )
    image: str | None = Field(
        None, description="Image file (.sif) of fMRIPrep for `apptainer` and `singularity`."
    )
    license: str | None = Field(
        None,
        description="FreeSurfer licence file (default: environment variable FS_LICENSE).",
    )
    output_space: str = Field(
        "MNI152NLin6Asym:res-2",
        pattern=r"^[A-Za-z0-9]+(:(res|cohort)-[A-Za-z0-9]+)*$",
        description="Space of the images, as fMRIPrep's --output-spaces names it.",
    )
    participants_per_call: int = Field(4, ge=1, description="Participants per call of fMRIPrep.")
    arguments: list[str] = Field(
        [],
        description="Additional arguments for fMRIPrep, such as `[--fs-no-reconall, --ignore, "
        "slicetiming]`: options that change how images are processed, spelled in full, whose "
        "values are words or numbers.",
    )

    @field_validator("output_space")
    @classmethod
    def _is_volume(cls, space: str) -> str:
        name = space.split(":")[0]
        if name in _NO_TEMPLATES or name.startswith(("fsaverage", "fsLR")):
            raise ValueError(
                f"'{space}' is not a volume in a template space; name one, such as "
                "MNI152NLin6Asym:res-2"
            )
        return space

    @field_validator("arguments")
    @classmethod
    def _are_allowed(cls, arguments: list[str]) -> list[str]:
        check_arguments(arguments)
        return arguments

    @model_validator(mode="after")
    def _has_image(self) -> Fmriprep:
        wanted = self.runner in ("apptainer", "singularity")
        if wanted and self.image is None:
            raise ValueError(f"runner '{self.runner}' needs 'image', the path of a .sif file")
        if not wanted and self.image is not None:
            raise ValueError(
                f"'image' is for apptainer and singularity; runner '{self.runner}' takes none"
            )
        return self
