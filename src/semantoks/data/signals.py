"""From regional means to the time series that a model reads: clean and resample.

nilearn regresses out the confounds and applies the band-pass. Resampling to the target TR comes
after the band-pass, so it cannot alias.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from semantoks.errors import ScanError

MAX_TR = 20.0  # s; a larger value must be in milliseconds
# Of lines across gaps of censored volumes; the more, the nearer to the signal in gaps of a volume,
# and the farther in gaps of many.
SMOOTHINGS = 2
MIN_VOLUMES = 34  # nilearn's fifth-order Butterworth filter pads by 33 volumes on either side


def require_repetition_time(value: Any, source: str) -> float:
    """Check that a repetition time is a plausible number of seconds.

    Parameters
    ----------
    value : object
        As read from JSON or a table; None or NaN if it is missing.
    source : str
        Where it was read, for the message.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ScanError
        When it is missing, no number, or out of range.
    """
    try:
        # Text and true could be converted, but whoever wrote them meant something else.
        if isinstance(value, (str, bool)):
            raise TypeError
        tr = float("nan" if value is None else value)
    except (TypeError, ValueError):
        raise ScanError(f"RepetitionTime is '{value}' in {source}; a number is needed") from None
    if np.isnan(tr):
        raise ScanError(f"no repetition time: no RepetitionTime in {source}")
    if not 0 < tr <= MAX_TR:
        hint = " (is it in milliseconds?)" if tr > MAX_TR else ""
        raise ScanError(f"RepetitionTime is {tr:g} in {source}; seconds are needed{hint}")
    return tr


def clean(
    signals_TC: np.ndarray,
    confounds: pd.DataFrame | None,
    tr: float,
    low_pass: float,
    high_pass: float,
    sample_mask: np.ndarray | None = None,
) -> np.ndarray:
    """Regress out confounds and apply a band-pass, as one orthogonal projection.

    Filtering and regressing one after the other would let the second step bring back what the
    first has removed (Lindquist et al. 2019, doi:10.1002/hbm.24528).

    Parameters
    ----------
    signals_TC : ndarray, shape (volumes, regions)
    confounds : DataFrame, shape (volumes, n) or None
    tr : float
        Repetition time in seconds.
    low_pass, high_pass : float
        Edges of the pass band in Hz.
    sample_mask : ndarray of int or None
        Indices of the volumes that are not censored. Censored volumes between them are
        interpolated to keep the sampling regular, and left out of the regression; those at either
        end are dropped.

    Returns
    -------
    ndarray, shape (volumes, regions)
    """
    if sample_mask is None:
        return _band_passed(signals_TC, tr, low_pass, high_pass, confounds)
    sample_mask = np.asarray(sample_mask)
    # nilearn's own `sample_mask` fills gaps by cubic splines; see `fill_censored`.
    cleaned_TC = _band_passed(
        fill_censored(signals_TC[sample_mask], sample_mask, tr, low_pass), tr, low_pass, high_pass
    )
    if confounds is None:
        return cleaned_TC
    given_TN = fill_censored(confounds.to_numpy(float)[sample_mask], sample_mask, tr, low_pass)
    regressors_TN = _band_passed(given_TN, tr, low_pass, high_pass)
    rows = sample_mask - sample_mask[0]
    regressors_TN = regressors_TN - regressors_TN[rows].mean(axis=0)
    deviations_N = regressors_TN[rows].std(axis=0)
    regressors_TN /= np.where(deviations_N > 0, deviations_N, 1)
    weights_NC = np.linalg.lstsq(regressors_TN[rows], cleaned_TC[rows], rcond=None)[0]
    return np.asarray(cleaned_TC - regressors_TN @ weights_NC)


def _band_passed(
    values_TX: np.ndarray,
    tr: float,
    low_pass: float,
    high_pass: float,
    confounds: pd.DataFrame | None = None,
) -> np.ndarray:
    """Detrend and band-pass, and regress out confounds that are treated in the same way."""
    from nilearn.signal import clean as nilearn_clean

    cleaned: np.ndarray = nilearn_clean(
        values_TX,
        confounds=confounds,
        t_r=tr,
        low_pass=low_pass,
        # nilearn expects None for no high-pass.
        high_pass=high_pass or None,
        # A linear trend has power at all frequencies; the band-pass alone would leave some of it.
        detrend=True,
        # Filter all regions at once. By default nilearn does one after another to save memory, and
        # takes most of the time of a scan for that.
        butterworth__copy=True,
        # z-scores come after resampling. nilearn 0.13 deprecates False in favour of None.
        standardize=None,
    )
    return cleaned


def fill_censored(
    uncensored_TX: np.ndarray, sample_mask: np.ndarray, tr: float, low_pass: float
) -> np.ndarray:
    """Interpolate censored volumes linearly, and smooth the lines by the low-pass.

    The slope at the edge of a gap is noise. Splines continue it, leave the range of the data in
    gaps of many volumes, and the band-pass spreads that over the volumes that are kept
    (docs/decisions/0024-censored-volumes.md).

    Parameters
    ----------
    uncensored_TX : ndarray, shape (uncensored volumes, n)
    sample_mask : ndarray of int
        Indices of these volumes in the run, ascending.
    tr : float
        Seconds.
    low_pass : float
        Hz.

    Returns
    -------
    ndarray, shape (volumes, n)
        From the first to the last uncensored volume: nothing is extrapolated. Uncensored volumes
        are as they were.
    """
    from nilearn.signal import butterworth

    every_volume = np.arange(sample_mask[0], sample_mask[-1] + 1)
    if len(every_volume) == len(sample_mask):
        return uncensored_TX
    lines = [np.interp(every_volume, sample_mask, x) for x in uncensored_TX.T]
    filled_TX = np.stack(lines, axis=1)
    is_gap = ~np.isin(every_volume, sample_mask)
    for _ in range(SMOOTHINGS):
        filled_TX[is_gap] = butterworth(filled_TX, 1 / tr, low_pass=low_pass, copy=True)[is_gap]
    return filled_TX


def resample_time(signals_TC: np.ndarray, tr: float, target_tr: float) -> np.ndarray:
    """Resample a band-passed signal to another TR with cubic splines.

    No anti-aliasing filter is applied: the band must already end below the new Nyquist frequency.
    """
    if np.isclose(tr, target_tr):
        return signals_TC
    duration = (len(signals_TC) - 1) * tr
    old = np.arange(len(signals_TC)) * tr
    # 1e-9 keeps the last sample where the division falls just below a whole number.
    new = np.arange(int(np.floor(duration / target_tr + 1e-9)) + 1) * target_tr
    resampled: np.ndarray = CubicSpline(old, signals_TC, axis=0)(new)
    return resampled
