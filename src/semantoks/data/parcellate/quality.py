"""Quality measures of a scan, and the thresholds that exclude it."""

from __future__ import annotations

import math
from typing import NamedTuple

from semantoks.config import Parcellation
from semantoks.errors import ScanError

MEASURES = (
    "repetition_time",
    "start",
    "seconds",
    "dof",
    "mean_fd",
    "censored",
    "tsnr",
    "dvars",
    "coverage",
    "dice",
    "correlation",
)


class _Threshold(NamedTuple):
    """A limit on a measure, and the reason of a scan that misses it."""

    measure: str
    limit: float | None
    is_minimum: bool
    reason: str

    def is_missed(self, value: float) -> bool:
        """Whether a value lies beyond the limit; a value that is not known (NaN) does not."""
        if self.limit is None:
            return False
        # Comparisons with NaN are false, so an unknown measure excludes nothing.
        return value < self.limit if self.is_minimum else value > self.limit

    def explain(self, value: float) -> str:
        """State the value and the limit."""
        bound = "at least {:g} needed" if self.is_minimum else "at most {:g} allowed"
        return f"{self.reason.format(value)}, {bound.format(self.limit)}"


def require_quality(measures: dict[str, float], settings: Parcellation) -> None:
    """Refuse a scan that misses a threshold; a measure that is not known excludes nothing.

    Parameters
    ----------
    measures : dict of str to float
        Any of `MEASURES`.
    settings : Parcellation

    Raises
    ------
    ScanError
        For the first threshold that is missed, with the value and the limit.
    """
    for threshold in _thresholds(settings):
        value = measures.get(threshold.measure, math.nan)
        if threshold.is_missed(value):
            raise ScanError(threshold.explain(value), measures)


def _thresholds(settings: Parcellation) -> tuple[_Threshold, ...]:
    """List the thresholds; the first that is missed becomes the reason."""
    motion = "head motion: mean framewise displacement {:.2f} mm"
    dof = (
        "{:.0f} degrees of freedom left after censoring, band-pass and confounds "
        "(a smaller parcellation.motion takes fewer)"
    )
    return (
        _Threshold("mean_fd", settings.max_mean_fd, False, motion),
        _Threshold("censored", settings.max_censored, False, "{:.0%} of the volumes censored"),
        _Threshold("tsnr", settings.min_tsnr, True, "temporal signal-to-noise ratio {:.1f}"),
        _Threshold("dvars", settings.max_dvars, False, "DVARS {:.1f} % of the mean signal"),
        _Threshold("coverage", settings.min_scan_coverage, True, "{:.0%} of the atlas covered"),
        _Threshold("seconds", settings.min_seconds, True, "{:.0f} s of data"),
        _Threshold("dof", settings.min_dof, True, dof),
    )
