"""Tangent-space connectivity as a representation, with the reference of the training part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.covariance import (
    raise_eigenvalues,
    regress_out_global_signal,
    sample_covariance,
    shrink,
)
from semantoks.connectivity.reference import regions_with_data
from semantoks.connectivity.tangent import log_map, whitening_at
from semantoks.connectivity.triangles import from_triangle, to_triangle

# More than Ledoit and Wolf estimate. On real data now one predicts better and now the other.
STRONG = 0.3


def covariances(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield of each scan the triangle of its covariance and, last, its Ledoit-Wolf shrinkage.

    The covariance is not shrunk yet: see `project_tangent`. It is NaN for regions without data, so
    that a mean over the scans of a participant is over those that have the region.
    """
    return (_covariance(scan.timeseries_CT) for scan in scans)


def covariances_without_global_signal(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the same after regression of the mean signal of all regions out of each.

    The variance that a region then has left says how much of it was global, and is not scaled away.
    """
    return (_covariance(regress_out_global_signal(scan.timeseries_CT)) for scan in scans)


def _covariance(timeseries_CT: np.ndarray) -> np.ndarray:
    covariance, shrinkage = sample_covariance(timeseries_CT)
    missing_C = ~regions_with_data(timeseries_CT)
    covariance[missing_C] = np.nan
    covariance[:, missing_C] = np.nan
    return np.append(to_triangle(covariance), shrinkage)


def project_tangent(
    train_PF: np.ndarray, held_HF: np.ndarray, shrinkage: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Map covariances into the tangent space at the mean covariance of the training participants.

    Parameters
    ----------
    train_PF, held_HF : ndarray, shape (participants, regions · (regions + 1) / 2 + 1)
        Rows of `covariances`, or means of the rows of a participant. A region that is NaN gets
        variance one and no covariance. The reference is computed from `train_PF` alone.
    shrinkage : float, optional
        Of the covariances (default: that of Ledoit and Wolf for each scan).

    Returns
    -------
    train_PF, held_HF : ndarray, one column less
        See `semantoks.connectivity.tangent.log_map`.
    """
    train, held = (_shrunk(rows, shrinkage) for rows in (train_PF, held_HF))
    whitening_CC = whitening_at(train.mean(axis=0))
    return log_map(train, whitening_CC), log_map(held, whitening_CC)


def project_tangent_shrunk(
    train_PF: np.ndarray, held_HF: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Do as `project_tangent` with a shrinkage of `STRONG`."""
    return project_tangent(train_PF, held_HF, STRONG)


def _shrunk(rows_PF: np.ndarray, shrinkage: float | None) -> np.ndarray:
    """Shrink covariances, row by row: all matrices would not fit into memory."""
    shrunk = np.empty((len(rows_PF), rows_PF.shape[1] - 1))
    for index, row in enumerate(rows_PF):
        amount = float(row[-1]) if shrinkage is None else shrinkage
        covariance = from_triangle(row[:-1])
        known = np.where(np.isfinite(covariance), covariance, np.eye(len(covariance)))
        shrunk[index] = to_triangle(raise_eigenvalues(shrink(known, amount), amount))
    return shrunk
