"""People on the principal axes of a training part: one decomposition for everything fitted to it.

L2 solutions lie in the span of the training rows. So people are rotated once onto the principal
axes of the training part (by the kernel matrix when features outnumber people), and models are
fitted to these few axes.

Legend: P people, H held-out people, F features, R axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CONSTANT = 1e-9  # a feature that varies less is constant


@dataclass(frozen=True)
class Rotated:
    """People in the coordinates of the training part's principal axes.

    Attributes
    ----------
    train_PR, held_HR : ndarray
        Rows of both parts; those of the training part have mean zero.
    values_R : ndarray
        Singular values: norms of the columns of `train_PR`, which are orthogonal.
    """

    train_PR: np.ndarray
    held_HR: np.ndarray
    values_R: np.ndarray


def standardise(train_PF: np.ndarray, held_HF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale by the training part; unknown values count as its mean, constants as zero.

    Rows of the training part get a mean squared norm of one (if no feature is constant), which
    makes strengths comparable over representations.
    """
    known = np.isfinite(train_PF)
    count = np.maximum(known.sum(axis=0), 1)
    filled = train_PF if known.all() else np.where(known, train_PF, 0)
    total = filled.sum(axis=0, dtype=float)
    train, held = (_around(total / count, rows) for rows in (train_PF, held_HF))
    deviation = np.sqrt(np.einsum("pf,pf->f", train, train) / count)
    scale = np.where(deviation > CONSTANT, deviation, np.inf) * np.sqrt(max(train.shape[1], 1))
    train /= scale
    held /= scale
    return train, held


def _around(mean: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Subtract the mean in double precision; what is unknown is at the mean."""
    centred = np.subtract(rows, mean, dtype=float)
    known = np.isfinite(centred)
    if not known.all():
        centred[~known] = 0
    return centred


def rotate(train_PF: np.ndarray, held_HF: np.ndarray) -> Rotated:
    """Standardise two parts by the first, and rotate both onto its principal axes."""
    train, held = standardise(train_PF, held_HF)
    many = train.shape[1] > len(train)
    squares, vectors = np.linalg.eigh(train @ train.T if many else train.T @ train)
    kept = squares > 1e-12 * max(squares.max(initial=0.0), CONSTANT)
    values, vectors = np.sqrt(squares[kept])[::-1], vectors[:, kept][:, ::-1]
    if many:
        return Rotated(vectors * values, (held @ train.T) @ (vectors / values), values)
    return Rotated(train @ vectors, held @ vectors, values)
