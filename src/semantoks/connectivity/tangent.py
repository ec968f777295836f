"""The tangent space of covariances at a reference.

Source: Varoquaux et al. 2010, doi:10.1007/978-3-642-15705-9_25, with the arithmetic mean of the
covariances as the reference point.
"""

from __future__ import annotations

import numpy as np

from semantoks.connectivity.triangles import from_triangle, to_triangle


def whitening_at(reference_F: np.ndarray) -> np.ndarray:
    """Return the inverse square root of a covariance.

    Parameters
    ----------
    reference_F : ndarray, shape (regions · (regions + 1) / 2,)
        Triangle of a positive definite matrix.

    Returns
    -------
    ndarray, shape (regions, regions)
    """
    values, vectors = np.linalg.eigh(from_triangle(reference_F))
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def log_map(rows_PF: np.ndarray, whitening_CC: np.ndarray) -> np.ndarray:
    """Map covariances into the tangent space.

    Parameters
    ----------
    rows_PF : ndarray, shape (scans, regions · (regions + 1) / 2)
        Triangles of covariances.
    whitening_CC : ndarray, shape (regions, regions)
        See `whitening_at`.

    Returns
    -------
    ndarray, the shape of `rows_PF`
        Triangles of the matrix logarithms. Entries off the diagonal are multiplied by √2, so that
        the Euclidean distance of two rows equals the Frobenius distance of their matrices.
    """
    # 1 on the diagonal, √2 elsewhere.
    scale = np.sqrt(2 - to_triangle(np.eye(len(whitening_CC))))
    mapped = np.empty_like(rows_PF)
    # Row by row: the full matrices of thousands of participants would not fit into memory.
    for index, row in enumerate(rows_PF):
        values, vectors = np.linalg.eigh(whitening_CC @ from_triangle(row) @ whitening_CC)
        # Rounding can make the smallest eigenvalues of a positive matrix negative.
        logarithm = (vectors * np.log(np.maximum(values, 1e-12))) @ vectors.T
        mapped[index] = to_triangle(logarithm) * scale
    return mapped
