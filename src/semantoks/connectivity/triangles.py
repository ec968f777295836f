"""Symmetric matrices as rows of features."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=4)
def _upper(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the upper triangle; to find them takes longer than to copy it."""
    return np.triu_indices(size)


def to_triangle(matrix_CC: np.ndarray) -> np.ndarray:
    """Return the upper triangle with the diagonal, row by row.

    Parameters
    ----------
    matrix_CC : ndarray, shape (..., regions, regions)

    Returns
    -------
    ndarray, shape (..., regions · (regions + 1) / 2)
    """
    return np.asarray(matrix_CC[..., *_upper(matrix_CC.shape[-1])])


def from_triangle(triangle_F: np.ndarray) -> np.ndarray:
    """Rebuild symmetric matrices from what `to_triangle` returned.

    Parameters
    ----------
    triangle_F : ndarray, shape (..., regions · (regions + 1) / 2)

    Returns
    -------
    ndarray, shape (..., regions, regions)
    """
    size = int((np.sqrt(8 * triangle_F.shape[-1] + 1) - 1) / 2)
    rows, columns = _upper(size)
    matrix = np.empty((*triangle_F.shape[:-1], size, size))
    matrix[..., rows, columns] = triangle_F
    matrix[..., columns, rows] = triangle_F
    return matrix
