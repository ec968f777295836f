"""Tangent-space connectivity as a representation, with the reference of the training part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.covariance import covariance, regress_out_global_signal
from semantoks.connectivity.tangent import log_map, whitening_at
from semantoks.connectivity.triangles import to_triangle


def covariances(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the triangle of each scan's shrunk covariance, the input of `project_tangent`."""
    return (to_triangle(covariance(scan.timeseries_CT)) for scan in scans)


def covariances_without_global_signal(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the same after regression of the mean signal of all regions out of each.

    The variance that a region then has left says how much of it was global, and is not scaled away.
    """
    cleaned = (regress_out_global_signal(scan.timeseries_CT) for scan in scans)
    return (to_triangle(covariance(residual_CT)) for residual_CT in cleaned)


def project_tangent(train_PF: np.ndarray, held_HF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Map covariances into the tangent space at the mean covariance of the training participants.

    Parameters
    ----------
    train_PF, held_HF : ndarray, shape (participants, regions · (regions + 1) / 2)
        Rows of `covariances`. The reference is computed from `train_PF` alone.

    Returns
    -------
    train_PF, held_HF : ndarray, the same shapes
        See `semantoks.connectivity.tangent.log_map`.
    """
    whitening_CC = whitening_at(train_PF.mean(axis=0))
    return log_map(train_PF, whitening_CC), log_map(held_HF, whitening_CC)
