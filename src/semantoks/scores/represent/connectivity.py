"""Connectivity of one scan: correlation, with and without global signal, partial correlation.

Each generator yields one row per scan and fits nothing across scans, so its rows may be used in
any split. `tangent` and `coskewness` hold the representations that are fitted to training data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.covariance import covariance, regress_out_global_signal

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
    """Yield connectivity after regression of the mean signal of all regions out of each."""
    return (fisher_z(regress_out_global_signal(scan.timeseries_CT)) for scan in scans)


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
