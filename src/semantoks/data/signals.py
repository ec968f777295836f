"""From raw regional means to what a model reads: cleaned, resampled, z-scored.

The order: confounds and band-pass in one regression with nilearn (censored volumes are
interpolated before the filter), then the target TR, then the z-score.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from semantoks.errors import ScanError

EPSILON = 1e-8
LONGEST_TR = 20.0  # s; more must be milliseconds
MIN_VOLUMES = 34  # what the fifth-order band-pass of nilearn needs to run forth and back


def repetition_time(value: Any, where: str) -> float:
    """Check a repetition time.

    Parameters
    ----------
    value
        Seconds, as found; None or NaN where nothing was found.
    where : str
        Where it was looked for.

    Raises
    ------
    ScanError
        When there is none, or it cannot be one in seconds.
    """
    try:
        tr = float("nan" if value is None else value)
    except (TypeError, ValueError):
        raise ScanError(f"RepetitionTime is '{value}' in {where}; a number is needed") from None
    if np.isnan(tr):
        raise ScanError(f"no repetition time: {where} has no RepetitionTime")
    if not 0 < tr <= LONGEST_TR:
        hint = "; is it in milliseconds?" if tr > LONGEST_TR else ""
        raise ScanError(f"RepetitionTime is {tr:g} in {where}; seconds are needed{hint}")
    return tr


def clean(
    signals_TC: np.ndarray,
    confounds: pd.DataFrame | None,
    tr: float,
    low_pass: float,
    high_pass: float,
    kept: np.ndarray | None = None,
) -> np.ndarray:
    """Regress confounds out and band-pass, in one orthogonal projection (Lindquist 2019).

    Parameters
    ----------
    signals_TC : ndarray, shape (volumes, regions)
    confounds : DataFrame, shape (volumes, n) or None
    tr : float
        Repetition time in seconds.
    low_pass, high_pass : float
        Edges of the pass band in Hz.
    kept : ndarray of int or None
        Volumes that are not censored. Censored ones are interpolated, so that the time axis
        stays whole; those before the first and after the last kept one are dropped.

    Returns
    -------
    ndarray, shape (volumes, regions)
    """
    from nilearn.signal import clean as nilearn_clean

    cleaned: np.ndarray = nilearn_clean(
        signals_TC,
        confounds=confounds,
        t_r=tr,
        low_pass=low_pass,
        high_pass=high_pass or None,
        sample_mask=kept,
        detrend=True,
        standardize=None,
    )
    if kept is None or len(cleaned) == len(signals_TC):
        return cleaned
    whole: np.ndarray = CubicSpline(kept, cleaned, axis=0)(np.arange(kept[0], kept[-1] + 1))
    return whole


def resample_time(signals_TC: np.ndarray, tr: float, target_tr: float) -> np.ndarray:
    """Bring a band-passed signal to another TR by cubic splines.

    What was filtered below the new Nyquist frequency cannot alias, so no second filter is needed.
    """
    if np.isclose(tr, target_tr):
        return signals_TC
    duration = (len(signals_TC) - 1) * tr
    old = np.arange(len(signals_TC)) * tr
    new = np.arange(int(np.floor(duration / target_tr + 1e-9)) + 1) * target_tr
    resampled: np.ndarray = CubicSpline(old, signals_TC, axis=0)(new)
    return resampled


def zscore(signals_CT: np.ndarray) -> np.ndarray:
    """z-score each region over time; a region that never changes becomes NaN."""
    centred = signals_CT - signals_CT.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    scores: np.ndarray = centred / (deviation + EPSILON)
    scores[deviation[:, 0] <= EPSILON] = np.nan
    return scores
