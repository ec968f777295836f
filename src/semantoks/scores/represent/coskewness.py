"""Correlation inside the subspace that preserves most of the co-skewness between regions.

The co-skewness tensor of z-scored signals x, s_ijk = mean of x_i · x_j · x_k over volumes, is never
formed. Only the matrix G_ii' = Σ_jk s_ijk · s_i'jk is needed: its leading eigenvectors span the
subspace that preserves most of the squared norm of s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.triangles import from_triangle, to_triangle
from semantoks.scores.represent.connectivity import LARGEST_R


def third_moments(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the triangles of each scan's correlation and of its matrix G, concatenated."""
    return (_third_moments(scan.timeseries_CT) for scan in scans)


def _third_moments(timeseries_CT: np.ndarray) -> np.ndarray:
    # Regions without data become zero: they then have no part in any moment.
    x_CT = np.nan_to_num(timeseries_CT.astype(float))
    volumes = x_CT.shape[1]
    # Σ_jk s_ijk s_i'jk = Σ_tu x_it (x_t · x_u)² x_i'u / volumes²: O(regions · volumes²) time.
    gram = x_CT @ (x_CT.T @ x_CT) ** 2 @ x_CT.T / volumes**2
    return np.concatenate([to_triangle(x_CT @ x_CT.T / volumes), to_triangle(gram)])


def project_coskewness(
    train_PF: np.ndarray, held_HF: np.ndarray, preserved: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    """Correlate inside the subspace that preserves the training participants' co-skewness.

    The idea is that of arXiv 2606.04010; the rule for the number of dimensions is our own.

    Parameters
    ----------
    train_PF, held_HF : ndarray, shape (participants, regions · (regions + 1))
        Rows of `third_moments`. The subspace is computed from `train_PF` alone.
    preserved : float
        Smallest part of the squared norm of the mean co-skewness that the subspace preserves.

    Returns
    -------
    train_PF, held_HF : ndarray, shape (participants, dimensions · (dimensions − 1) / 2)
        Fisher z of the correlations inside the subspace.
    """
    half = train_PF.shape[1] // 2
    values, vectors = np.linalg.eigh(from_triangle(train_PF[:, half:].mean(axis=0)))
    share = np.cumsum(values[::-1]) / values.sum()
    subspace = vectors[:, ::-1][:, : int(np.searchsorted(share, preserved)) + 1]
    return _project(train_PF[:, :half], subspace), _project(held_HF[:, :half], subspace)


def _project(correlation_PF: np.ndarray, subspace_CK: np.ndarray) -> np.ndarray:
    rows, columns = np.triu_indices(subspace_CK.shape[1], 1)
    projections = np.empty((len(correlation_PF), len(rows)))
    for index, row in enumerate(correlation_PF):
        projected = subspace_CK.T @ from_triangle(row) @ subspace_CK
        deviation = np.sqrt(np.maximum(np.diag(projected), 1e-12))
        correlations = (projected / deviation[:, None] / deviation)[rows, columns]
        projections[index] = np.arctanh(np.clip(correlations, -LARGEST_R, LARGEST_R))
    return projections
