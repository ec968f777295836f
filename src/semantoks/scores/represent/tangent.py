"""Tangent-space connectivity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.scores.represent.connectivity import covariance
from semantoks.scores.represent.triangles import from_triangle, to_triangle


def covariances(scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the triangle of each scan's shrunk covariance, the input of `project_tangent`."""
    return (to_triangle(covariance(scan.timeseries_CT)) for scan in scans)


def project_tangent(train_PF: np.ndarray, held_HF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Map covariances into the tangent space at the mean covariance of the training participants.

    Source: Varoquaux et al. 2010, doi:10.1007/978-3-642-15705-9_25, with the arithmetic mean
    of the covariances as the reference point.

    Parameters
    ----------
    train_PF, held_HF : ndarray, shape (participants, regions · (regions + 1) / 2)
        Rows of `covariances`. The reference is computed from `train_PF` alone.

    Returns
    -------
    train_PF, held_HF : ndarray, the same shapes
        Triangles of the matrix logarithms. Entries off the diagonal are multiplied by √2, so that
        the Euclidean distance of two rows equals the Frobenius distance of their matrices.
    """
    values, vectors = np.linalg.eigh(from_triangle(train_PF.mean(axis=0)))
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    return _log_map(train_PF, whitening), _log_map(held_HF, whitening)


def _log_map(rows_PF: np.ndarray, whitening: np.ndarray) -> np.ndarray:
    # 1 on the diagonal, √2 elsewhere.
    scale = np.sqrt(2 - to_triangle(np.eye(len(whitening))))
    mapped = np.empty_like(rows_PF)
    # Row by row: the full matrices of thousands of participants would not fit into memory.
    for index, row in enumerate(rows_PF):
        values, vectors = np.linalg.eigh(whitening @ from_triangle(row) @ whitening)
        # Rounding can make the smallest eigenvalues of a positive matrix negative.
        logarithm = (vectors * np.log(np.maximum(values, 1e-12))) @ vectors.T
        mapped[index] = to_triangle(logarithm) * scale
    return mapped
