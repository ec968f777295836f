"""Simulation, and preprocessing of raw images to template space."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from semantoks.config.base import Settings

MINIMAL_SPACE = "MNI152NLin2009aSym"  # output space of the built-in engine


class Simulation(Settings):
    """A simulated data set with known phenotypes.

    With `source: bids` raw images; with `source: timeseries` only regional time series (of the
    atlas `seitzman300`), which take a hundredth of the time and have no faults. Each faulty scan
    belongs to a participant without other scans.
    """

    participants: int = Field(28, ge=4, description="Number of participants.")
    two_sessions: int = Field(2, ge=0, description="Number of participants with two sessions.")
    seconds: float = Field(240.0, gt=20, description="Length of a run in seconds.")
    repetition_time: float = Field(2.5, gt=0, description="Repetition time (TR) in seconds.")
    voxel_size: float = Field(5.0, gt=1, description="Edge of a BOLD voxel in mm.")
    anatomy_voxel_size: float = Field(3.0, gt=0.9, description="Edge of a T1w voxel in mm.")
    faults: bool = Field(
        True, description="Include a scan with heavy head motion and a truncated NIfTI file."
    )
    seed: int = Field(0, ge=0, description="Seed of all random draws.")

    @model_validator(mode="after")
    def _enough_people(self) -> Simulation:
        needed = self.two_sessions + 2 * self.faults
        if self.participants < needed:
            raise ValueError(
                f"participants must be at least {needed}: {self.two_sessions} have two sessions"
                + (" and two others have a faulty scan" if self.faults else "")
            )
        return self


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
        [], description="Additional arguments for fMRIPrep, such as --fs-no-reconall."
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


# fMRIPrep's nonstandard spaces: coordinates of one participant, in which no atlas is defined.
_NO_TEMPLATES = ("anat", "T1w", "run", "func", "boldref", "sbref", "fsnative")
# Arguments that the engine sets itself, in all spellings, and what to do instead.
_SET_BY_ENGINE = {
    argument: instead
    for instead, arguments in {
        "set 'output_space' instead": ["--output-spaces"],
        "set 'license' instead": ["--fs-license-file"],
        "set 'version' or 'image' instead": ["-i", "--image"],
        "set the data set's 'task' instead": ["-t", "--task-id", "--task_id"],
        "the engine names the participants of each call": [
            "--participant-label",
            "--participant_label",
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
            *("-h", "--help", "--version", "--shell", "--anat-only", "--anat_only"),
            *("--boilerplate-only", "--boilerplate_only", "--reports-only", "--reports_only"),
        ],
    }.items()
    for argument in arguments
}


class Preprocessing(Settings):
    """Raw BOLD and T1w images to template space."""

    engine: Literal["minimal", "fmriprep"] = Field(
        "minimal", description="`minimal` (built in, antspyx) or `fmriprep`."
    )
    fmriprep: Fmriprep = Field(Fmriprep(), description="Settings of fMRIPrep.")
    voxel_size: float = Field(3.0, gt=0, description="Edge in mm of the voxels written.")
    registration_voxel_size: float = Field(
        2.0, gt=0, description="Edge in mm of the template that T1w images are registered to."
    )
    min_dice: float = Field(
        0.7,
        ge=0,
        le=1,
        description="Scans whose brain mask overlaps the template's less (Dice) are excluded.",
    )
    min_correlation: float = Field(
        0.3,
        ge=-1,
        le=1,
        description="Scans whose registered T1w image correlates less with the template, within "
        "the brain, are excluded.",
    )
