"""From raw images to images in template space: the made-up data, the engines."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from semantoks.config.base import Settings

MINIMAL_SPACE = "MNI152NLin2009aSym"  # what the built-in engine writes


class Simulation(Settings):
    """A made-up data set with known phenotypes, written before it is read.

    With `source: bids` raw images; with `source: timeseries` the time series of their regions
    alone (of the atlas `seitzman300`), which take a hundredth of the time and have no faults.
    The faulty scans belong to people of their own, who have no other scan.
    """

    participants: int = Field(28, ge=4, description="Number of people.")
    two_sessions: int = Field(2, ge=0, description="How many of them come twice.")
    seconds: float = Field(240.0, gt=20, description="Length of a run in seconds.")
    repetition_time: float = Field(2.5, gt=0, description="Repetition time (TR) in seconds.")
    voxel_size: float = Field(5.0, gt=1, description="Edge of a BOLD voxel in mm.")
    anatomy_voxel_size: float = Field(3.0, gt=0.9, description="Edge of a T1w voxel in mm.")
    faults: bool = Field(
        True, description="Include a scan with heavy head motion and a truncated NIfTI file."
    )
    seed: int = Field(0, ge=0, description="Seed of everything that is drawn.")

    @model_validator(mode="after")
    def _enough_people(self) -> Simulation:
        needed = self.two_sessions + 2 * self.faults
        if self.participants < needed:
            raise ValueError(
                f"participants must be at least {needed}: {self.two_sessions} come twice"
                + (" and two others have a faulty scan" if self.faults else "")
            )
        return self


class Fmriprep(Settings):
    """How fMRIPrep is run, where `preprocessing.engine` is `fmriprep`."""

    runner: Literal["docker", "apptainer", "singularity", "native"] = Field(
        "docker",
        description="What starts it: `docker` (by way of fmriprep-docker), `apptainer` or "
        "`singularity` (need `image`), or `native`, a `fmriprep` on PATH.",
    )
    version: str = Field(
        "25.2.7",
        pattern=r"^[A-Za-z0-9][\w.-]*$",
        description="Version; `docker` takes nipreps/fmriprep of this version.",
    )
    image: str | None = Field(
        None, description="Image file (.sif) of fMRIPrep for `apptainer` and `singularity`."
    )
    license: str | None = Field(
        None,
        description="FreeSurfer licence file (default: the one the environment variable "
        "FS_LICENSE names).",
    )
    output_space: str = Field(
        "MNI152NLin6Asym:res-2",
        pattern=r"^[A-Za-z0-9]+(:(res|cohort)-[A-Za-z0-9]+)*$",
        description="Space of the images, as fMRIPrep's --output-spaces names it.",
    )
    participants_per_call: int = Field(
        4, ge=1, description="People that one call of fMRIPrep works on."
    )
    arguments: list[str] = Field(
        [], description="More arguments for fMRIPrep, such as --fs-no-reconall."
    )

    @field_validator("output_space")
    @classmethod
    def _is_volume(cls, space: str) -> str:
        name = space.split(":")[0]
        if name in _NO_TEMPLATES or name.startswith(("fsaverage", "fsLR")):
            raise ValueError(
                f"'{space}' is no volume in the space of a template; name one, such as "
                "MNI152NLin6Asym:res-2"
            )
        return space

    @field_validator("arguments")
    @classmethod
    def _leave_ours(cls, arguments: list[str]) -> list[str]:
        for argument in arguments:
            name = argument.split("=")[0]
            if name in _SET_BY_ENGINE:
                raise ValueError(f"'{name}' cannot be given; {_SET_BY_ENGINE[name]}")
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


_NO_TEMPLATES = ("anat", "T1w", "run", "func", "boldref", "sbref", "fsnative")
# Arguments that the engine sets or relies on, in all their spellings, and what to do instead.
_SET_BY_ENGINE = {
    argument: instead
    for instead, arguments in {
        "set 'output_space' instead": ["--output-spaces"],
        "set 'license' instead": ["--fs-license-file"],
        "set 'version' or 'image' instead": ["-i", "--image"],
        "set the data set's 'task' instead": ["-t", "--task-id", "--task_id"],
        "the engine names the people of each call": ["--participant-label", "--participant_label"],
        "the engine gives each call its own folder": ["-w", "--work-dir", "--work_dir"],
        "it follows the threads of rule preprocess": [
            *("--nprocs", "--nthreads", "--n_cpus", "--n-cpus", "--omp-nthreads")
        ],
        "it follows the memory of rule preprocess": ["--mem", "--mem_mb", "--mem-mb"],
        "the engine sets it already": [
            *("--notrack", "--no-tty", "--skip-bids-validation", "--skip_bids_validation")
        ],
        "with it no BOLD images come, and the next steps need them": [
            *("-h", "--help", "--version", "--shell", "--anat-only", "--anat_only"),
            *("--boilerplate-only", "--boilerplate_only", "--reports-only", "--reports_only"),
        ],
    }.items()
    for argument in arguments
}


class Preprocessing(Settings):
    """From raw BOLD and T1w images to images in template space."""

    engine: Literal["minimal", "fmriprep"] = Field(
        "minimal", description="`minimal` (built in, antspyx) or `fmriprep`."
    )
    fmriprep: Fmriprep = Field(Fmriprep(), description="How fMRIPrep is run.")
    voxel_size: float = Field(3.0, gt=0, description="Edge in mm of the voxels written.")
    registration_voxel_size: float = Field(
        2.0, gt=0, description="Edge in mm of the template that T1w images are registered to."
    )
    min_dice: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Scans whose brain mask overlaps the template's less (Dice) count as failed.",
    )
    min_correlation: float = Field(
        0.3,
        ge=-1,
        le=1,
        description="Scans whose registered T1w image correlates less with the template, inside "
        "the brain, count as failed.",
    )
