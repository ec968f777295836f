"""Connectivity of one scan: correlation, with and without global signal, partial correlation.

Each generator yields one row per scan and fits nothing across scans, so its rows may be used in
any split. `tangent` and `coskewness` hold the representations that are fitted to training data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from sklearn.covariance import ledoit_wolf

from semantoks.artifacts.timeseries import Scan

LARGEST_R = 1 - 1e-7  # arctanh(1) is infinite


def fisher_z(timeseries_CT: np.ndarray) -> np.ndarray:
    """Compute the Fisher z-transformed Pearson correlation of every pair of regions.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        A NaN region gives NaN.

    Returns
    -------
    ndarray of float32, shape (regions · (regions − 1) / 2,)
        Upper triangle without the diagonal, row by row.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.corrcoef(np.asarray(timeseries_CT, float))
    return upper_fisher_z(correlations).astype(np.float32)


def upper_fisher_z(correlation_CC: np.ndarray) -> np.ndarray:
    """Fisher z of the upper triangle without the diagonal, row by row."""
    upper = correlation_CC[np.triu_indices(len(correlation_CC), 1)]
    return np.arctanh(np.clip(upper, -LARGEST_R, LARGEST_R))


def connectivity(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the Fisher z of the Pearson correlation of every pair of regions, scan by scan."""
    return (fisher_z(scan.timeseries_CT) for scan in scans)


def connectivity_without_global_signal(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield connectivity after regression of the mean signal of all regions out of each.

    Source: Fox et al. 2009, doi:10.1152/jn.90777.2008, here with regions instead of voxels.
    """
    return (fisher_z(_regress_out_global_signal(scan.timeseries_CT)) for scan in scans)


def _regress_out_global_signal(timeseries_CT: np.ndarray) -> np.ndarray:
    centred = timeseries_CT - timeseries_CT.mean(axis=1, keepdims=True)
    # nanmean: a region without data must not make the global signal NaN.
    signal_T = np.nanmean(centred, axis=0)
    # The lower bound avoids 0 / 0 where all regions are constant.
    slopes_C = centred @ signal_T / max(float(signal_T @ signal_T), 1e-12)
    residual: np.ndarray = centred - slopes_C[:, None] * signal_T
    return residual


def covariance(timeseries_CT: np.ndarray) -> np.ndarray:
    """Estimate the covariance between regions with Ledoit-Wolf shrinkage.

    Source: Ledoit & Wolf 2004, doi:10.1016/S0047-259X(03)00096-4.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored.

    Returns
    -------
    ndarray, shape (regions, regions)
        Positive definite. A NaN or constant region has variance one and no covariance with others,
        so that the matrix can always be inverted.
    """
    known = np.isfinite(timeseries_CT).all(axis=1) & (timeseries_CT.std(axis=1) > 0)
    estimate = np.eye(len(timeseries_CT))
    if known.any():
        estimate[np.ix_(known, known)] = ledoit_wolf(timeseries_CT[known].T.astype(float))[0]
    return estimate


def partial_correlation(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the Fisher z of the correlation of each pair of regions given all other regions.

    It is read off the inverse of the shrunk covariance: r_ij = −p_ij / √(p_ii · p_jj). Source:
    Marrelec et al. 2006, doi:10.1016/j.neuroimage.2005.12.057.
    """
    return (_partial_fisher_z(scan.timeseries_CT) for scan in scans)


def _partial_fisher_z(timeseries_CT: np.ndarray) -> np.ndarray:
    # The sample covariance is singular with fewer volumes than regions; the shrunk one is not.
    precision = np.linalg.inv(covariance(timeseries_CT))
    deviation = np.sqrt(np.diag(precision))
    correlations = -precision / deviation[:, None] / deviation
    # The covariance treats missing regions as independent; zeros would look like data.
    missing = ~np.isfinite(timeseries_CT).all(axis=1)
    correlations[missing] = np.nan
    correlations[:, missing] = np.nan
    return upper_fisher_z(correlations)
