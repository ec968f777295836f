"""Rotation of participants onto the principal axes of the training participants.

The solution of an L2-penalised linear model lies in the span of the training rows. So features are
rotated once onto the principal axes of the training rows, and every model of a split is fitted to
these few coordinates. Where features outnumber participants, the axes come from the kernel matrix.
Kernels of several blocks of features are summed.

Legend: P training participants, H held-out participants, F features, R principal axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Of its mean: a feature with a smaller standard deviation counts as constant, whatever its unit.
CONSTANT = 1e-9
# Of the largest eigenvalue; smaller ones are rounding errors. Eigenvalues are squares of singular
# values, so this is 1e-6 of the largest of those.
RANK_TOLERANCE = 1e-12


@dataclass(frozen=True)
class PrincipalCoordinates:
    """Coordinates of participants on the principal axes of the training participants.

    Attributes
    ----------
    train_PR, held_HR : ndarray
        Coordinates of both parts; the columns of `train_PR` are orthogonal and have mean zero.
    singular_values_R : ndarray
        Norms of the columns of `train_PR`, largest first.
    """

    train_PR: np.ndarray
    held_HR: np.ndarray
    singular_values_R: np.ndarray


def standardise(train_PF: np.ndarray, held_HF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale both parts by mean and standard deviation of the training part.

    Missing values become the training mean, and features that are constant in the training part
    become zero. Features are divided by the square root of their number, too: training rows then
    have a mean squared norm of one (if no feature is constant), which makes L2 strengths
    comparable between representations of different size.

    Parameters
    ----------
    train_PF, held_HF : ndarray
        NaN where a value is missing.

    Returns
    -------
    train, held : ndarray of float64, the same shapes
    """
    known = np.isfinite(train_PF)
    count = np.maximum(known.sum(axis=0), 1)
    filled = train_PF if known.all() else np.where(known, train_PF, 0)
    # Sums of many float32 rows would lose digits.
    total = filled.sum(axis=0, dtype=float)
    mean = total / count
    train, held = (_centre(mean, rows) for rows in (train_PF, held_HF))
    deviation = np.sqrt(np.einsum("pf,pf->f", train, train) / count)
    varies = deviation > CONSTANT * np.abs(mean)
    scale = np.where(varies, deviation, np.inf) * np.sqrt(max(train.shape[1], 1))
    # In place, since connectivity of large cohorts takes gigabytes.
    train /= scale
    held /= scale
    return train, held


def _centre(mean: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Subtract the mean in double precision; missing values become zero."""
    centred = np.subtract(rows, mean, dtype=float)
    known = np.isfinite(centred)
    if not known.all():
        centred[~known] = 0
    return centred


def rotate(train_PF: np.ndarray, held_HF: np.ndarray) -> PrincipalCoordinates:
    """Standardise both parts by the training part and rotate them onto its principal axes.

    Parameters
    ----------
    train_PF, held_HF : ndarray
        Features; NaN where a value is missing.
    """
    return rotate_blocks([(train_PF, held_HF)])


def rotate_blocks(
    blocks: Sequence[tuple[np.ndarray, np.ndarray]], weights_B: np.ndarray | None = None
) -> PrincipalCoordinates:
    """Standardise blocks of features, sum their kernels, and rotate onto the principal axes.

    Each block has a mean squared norm of one, whatever its size. The sum of kernels is the kernel
    of the blocks side by side, each multiplied by the root of its weight.

    Parameters
    ----------
    blocks : sequence of (ndarray, ndarray)
        Features of the training participants (P, F) and of the held-out ones (H, F), block by
        block; NaN where a value is missing.
    weights_B : ndarray, optional
        Weights of the kernels (default: equal ones whose sum is one); a block with a weight of zero
        is left out.
    """
    if weights_B is None:
        weights_B = np.full(len(blocks), 1 / len(blocks))
    used = [
        (block, float(weight)) for block, weight in zip(blocks, weights_B, strict=True) if weight
    ]
    participants = len(blocks[0][0])
    # The smaller of the kernel matrix (P, P) and the covariance (F, F) has the same eigenvalues.
    if sum(train.shape[1] for (train, _), _ in used) <= participants:
        weighted = [_weighted(block, weight) for block, weight in used]
        # hstack copies, which one block can do without.
        train, held = weighted[0] if len(used) == 1 else map(np.hstack, zip(*weighted, strict=True))
        values, vectors = _axes(train.T @ train)
        return PrincipalCoordinates(train @ vectors, held @ vectors, values)
    # One block at a time: side by side, those of a large cohort would be in memory twice.
    kernel_PP, kernel_HP = _kernels(*used[0])
    for block, weight in used[1:]:
        for total, kernel in zip((kernel_PP, kernel_HP), _kernels(block, weight), strict=True):
            total += kernel
    values, vectors = _axes(kernel_PP)
    # Through the kernel: the axes themselves, features × R, are never formed.
    return PrincipalCoordinates(vectors * values, kernel_HP @ (vectors / values), values)


def _weighted(block: tuple[np.ndarray, np.ndarray], weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Standardise a block and multiply it by the root of its weight."""
    train, held = standardise(*block)
    train *= np.sqrt(weight)
    held *= np.sqrt(weight)
    return train, held


def _kernels(block: tuple[np.ndarray, np.ndarray], weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Weighted kernels of a block, between training rows and between held-out and training rows."""
    train, held = _weighted(block, weight)
    return train @ train.T, held @ train.T


def _axes(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the singular values and vectors of which a matrix is the square, largest first."""
    squares, vectors = np.linalg.eigh(square)
    nonzero = squares > RANK_TOLERANCE * max(squares.max(initial=0.0), CONSTANT)
    # eigh sorts in ascending order.
    return np.sqrt(squares[nonzero])[::-1], vectors[:, nonzero][:, ::-1]
