"""Covariance between the regions of one scan, and the signal that all regions share."""

from __future__ import annotations

import numpy as np
from sklearn.covariance import ledoit_wolf


def covariance(timeseries_CT: np.ndarray, shrinkage: float | None = None) -> np.ndarray:
    """Estimate the covariance between regions, shrunk towards a multiple of the identity.

    Source: Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored.
    shrinkage : float, optional
        Weight of the identity, between 0 and 1 (default: the estimate of Ledoit and Wolf).

    Returns
    -------
    ndarray, shape (regions, regions)
        Positive definite. A NaN or constant region has variance one and no covariance with others,
        so that the matrix can always be inverted.
    """
    known = np.isfinite(timeseries_CT).all(axis=1) & (timeseries_CT.std(axis=1) > 0)
    estimate = np.eye(len(timeseries_CT))
    if known.any():
        estimate[np.ix_(known, known)] = _shrunk(timeseries_CT[known].T.astype(float), shrinkage)
    return estimate


def _shrunk(volumes_TC: np.ndarray, shrinkage: float | None) -> np.ndarray:
    if shrinkage is None:
        return np.asarray(ledoit_wolf(volumes_TC)[0])
    sample = np.cov(volumes_TC, rowvar=False, bias=True).reshape(volumes_TC.shape[1], -1)
    scale = np.trace(sample) / len(sample)
    return np.asarray((1 - shrinkage) * sample + shrinkage * scale * np.eye(len(sample)))


def regress_out_global_signal(timeseries_CT: np.ndarray) -> np.ndarray:
    """Regress the mean signal of all regions out of each region.

    Source: Fox et al. 2009, doi:10.1152/jn.90777.2008, here with regions instead of voxels.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        A NaN region stays NaN and has no part in the mean.
    """
    centred = timeseries_CT - timeseries_CT.mean(axis=1, keepdims=True)
    # nanmean: a region without data must not make the global signal NaN.
    signal_T = np.nanmean(centred, axis=0)
    # The lower bound avoids 0 / 0 where all regions are constant.
    slopes_C = centred @ signal_T / max(float(signal_T @ signal_T), 1e-12)
    residual: np.ndarray = centred - slopes_C[:, None] * signal_T
    return residual
