"""Which scans are good enough: every measure, its threshold and the sentence that says so."""

from __future__ import annotations

import math

from semantoks.config import Parcellation
from semantoks.errors import ScanError

MEASURES = (
    "repetition_time",
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


def require_quality(measures: dict[str, float], settings: Parcellation) -> None:
    """Refuse a scan that misses a threshold; a measure that is not known is not judged.

    Raises
    ------
    ScanError
        For the first threshold that is missed, with the value and the limit.
    """
    limits = (
        ("mean_fd", settings.max_mean_fd, -1, "head motion: mean framewise displacement {:.2f} mm"),
        ("censored", settings.max_censored, -1, "{:.0%} of the volumes censored"),
        ("tsnr", settings.min_tsnr, 1, "temporal signal-to-noise ratio {:.1f}"),
        ("dvars", settings.max_dvars, -1, "DVARS {:.1f} % of the mean signal"),
        ("coverage", settings.min_scan_coverage, 1, "{:.0%} of the atlas covered"),
        ("seconds", settings.min_seconds, 1, "{:.0f} s of data"),
        (
            "dof",
            settings.min_dof,
            1,
            "{:.0f} degrees of freedom left after censoring, band-pass and confounds "
            "(a smaller parcellation.motion takes fewer)",
        ),
    )
    for name, limit, sign, sentence in limits:
        value = measures.get(name, math.nan)
        if limit is not None and sign * value < sign * limit:
            bound = f"at least {limit:g} needed" if sign > 0 else f"at most {limit:g} allowed"
            raise ScanError(f"{sentence.format(value)}, {bound}", measures)
