"""Covariance between the regions of one scan, and the signal that all regions share."""

from __future__ import annotations

import numpy as np


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
    sample_CC, estimated = sample_covariance(timeseries_CT)
    # The estimate is NaN without any region that has data.
    amount = np.nan_to_num(estimated) if shrinkage is None else shrinkage
    return shrink(sample_CC, float(amount))


def sample_covariance(timeseries_CT: np.ndarray) -> tuple[np.ndarray, float]:
    """Compute the covariance between regions, and how much Ledoit and Wolf would shrink it.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)

    Returns
    -------
    covariance : ndarray, shape (regions, regions)
        A NaN or constant region has variance one and exactly no covariance with others.
    shrinkage : float
        Between 0 and 1; NaN without a region that has data.
    """
    # Imported here: it takes half a second, and probes read covariances that exist already.
    from sklearn.covariance import empirical_covariance, ledoit_wolf_shrinkage

    known = np.isfinite(timeseries_CT).all(axis=1) & (timeseries_CT.std(axis=1) > 0)
    covariance = np.eye(len(timeseries_CT))
    if not known.any():
        return covariance, float("nan")
    volumes_TC = timeseries_CT[known].T.astype(float)
    covariance[np.ix_(known, known)] = empirical_covariance(volumes_TC)
    return covariance, float(ledoit_wolf_shrinkage(volumes_TC))


def shrink(covariance_CC: np.ndarray, shrinkage: float) -> np.ndarray:
    """Shrink a covariance towards a multiple of the identity, the mean variance of its regions.

    Parameters
    ----------
    covariance_CC : ndarray, shape (regions, regions)
        Of `sample_covariance`.
    shrinkage : float
        Weight of the identity.

    Returns
    -------
    ndarray, shape (regions, regions)
        Regions without data keep variance one, and have no part in the mean.
    """
    known = (covariance_CC != 0).sum(axis=0) > 1  # more than its variance
    variance_C = np.diag(covariance_CC)
    target_C = np.where(known, variance_C[known].mean(), variance_C) if known.any() else variance_C
    return np.asarray((1 - shrinkage) * covariance_CC + shrinkage * np.diag(target_C))


def raise_eigenvalues(covariance_CC: np.ndarray, least: float) -> np.ndarray:
    """Raise the eigenvalues of a mean covariance that are too small.

    A mean over different scans for each pair of regions may have small, or negative, ones.

    Parameters
    ----------
    covariance_CC : ndarray, shape (regions, regions)
    least : float
        Relative to the mean eigenvalue.

    Returns
    -------
    ndarray, shape (regions, regions)
        The same matrix where all eigenvalues are large enough.
    """
    floor = least * np.trace(covariance_CC) / len(covariance_CC)
    # Shrinkage puts the smallest eigenvalue of a single scan at the floor, up to rounding.
    slack = 0.5 * floor * np.eye(len(covariance_CC))
    try:
        np.linalg.cholesky(covariance_CC - slack)  # much faster than the eigenvalues
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance_CC)
        return np.asarray((vectors * values.clip(floor)) @ vectors.T)
    return covariance_CC


def regress_out_global_signal(timeseries_CT: np.ndarray) -> np.ndarray:
    """Regress the mean signal of all regions out of each region.

    Source: Fox et al. 2009, doi:10.1152/jn.90777.2008, here with regions instead of voxels.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        A NaN region stays NaN and has no part in the mean.
    """
    centred = timeseries_CT - timeseries_CT.mean(axis=1, keepdims=True)
    # A region without data must not make the global signal NaN.
    known_C = np.isfinite(centred).all(axis=1)
    signal_T = centred[known_C].mean(axis=0) if known_C.any() else np.zeros(centred.shape[1])
    # The lower bound avoids 0 / 0 where all regions are constant.
    slopes_C = centred @ signal_T / max(float(signal_T @ signal_T), 1e-12)
    residual: np.ndarray = centred - slopes_C[:, None] * signal_T
    return residual
