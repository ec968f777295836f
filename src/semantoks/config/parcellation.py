"""Regional time series from preprocessed images."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from semantoks.config.base import Settings

Strategy = Literal["none", "simple", "scrubbing", "compcor", "ica_aroma", "36p"]


class Parcellation(Settings):
    """Cleaned regional time series from preprocessed images."""

    confounds: Strategy = Field(
        "simple",
        description="What is regressed out: nilearn's `simple`, `scrubbing`, `compcor` or "
        "`ica_aroma`, `36p` (motion, white matter, CSF and global signal with derivatives and "
        "squares) or `none`.",
    )
    motion: Literal["basic", "power2", "derivatives", "full"] = Field(
        "full", description="Motion regressors: 6, 12, 12 or 24 (nilearn's names)."
    )
    low_pass: float = Field(0.1, gt=0, description="Upper edge of the band-pass in Hz.")
    high_pass: float = Field(0.01, ge=0, description="Lower edge of the band-pass in Hz.")
    repetition_time: float = Field(2.0, gt=0, description="TR of the time series in seconds.")
    min_coverage: float = Field(
        0.5, ge=0, le=1, description="Regions of which the brain mask covers less are NaN."
    )
    keep_means: bool = Field(
        False, description="Also store the regional means before cleaning, at the TR of the scan."
    )
    min_seconds: float = Field(120.0, ge=0, description="Shorter scans are excluded.")
    min_dof: float = Field(
        10.0,
        ge=0,
        description="Scans with fewer degrees of freedom left after censoring, band-pass and "
        "confounds are excluded.",
    )
    min_scan_coverage: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Scans in which a smaller fraction of the regions has data are excluded.",
    )
    max_mean_fd: float = Field(
        0.5, gt=0, description="Scans with a larger mean framewise displacement (mm) are excluded."
    )
    max_censored: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Scans with a larger fraction of censored volumes are excluded.",
    )
    min_tsnr: float | None = Field(
        None, ge=0, description="Scans with a smaller temporal signal-to-noise ratio are excluded."
    )
    max_dvars: float | None = Field(
        None, gt=0, description="Scans with larger DVARS (% of the mean signal) are excluded."
    )

    def of_task_runs(self) -> Parcellation:
        """Drop the smallest lengths that are asked of resting scans, but for what filtering needs.

        Of a run that confounds and band-pass leave no degree of freedom, nothing is left to cut.
        """
        return self.model_copy(update={"min_seconds": 0.0, "min_dof": min(self.min_dof, 1.0)})

    @model_validator(mode="after")
    def _band_fits(self) -> Parcellation:
        nyquist = 1 / (2 * self.repetition_time)
        if not self.high_pass < self.low_pass < nyquist:
            raise ValueError(
                f"the band {self.high_pass:g} to {self.low_pass:g} Hz must rise and end below "
                f"{nyquist:g} Hz, half the rate of a TR of {self.repetition_time:g} s"
            )
        return self
