"""Sample covariances whose shrinkage is chosen later.

Both estimates of a scan, by Ledoit and Wolf and with a fixed shrinkage, follow from its sample
covariance and one number.
"""

from __future__ import annotations

import numpy as np
from sklearn.covariance import empirical_covariance, ledoit_wolf_shrinkage


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
