"""Simulation, and preprocessing of raw images to template space."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from semantoks.config.base import Settings
from semantoks.config.fmriprep import Fmriprep

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
