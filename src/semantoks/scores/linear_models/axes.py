"""Rotation of participants onto the principal axes of the training participants.

The solution of an L2-penalised linear model lies in the span of the training rows. So features are
rotated once onto the principal axes of the training rows, and every model of a split is fitted to
these few coordinates. Where features outnumber participants, the axes come from the kernel matrix.
Kernels of several blocks of features are summed. Those of `LARGE` training parts are in single
precision and made of some columns at a time, because memory is what limits large cohorts.

Legend: P training participants, H held-out participants, F features, R principal axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

# Of its mean: a feature with a smaller standard deviation counts as constant, whatever its unit.
CONSTANT = 1e-9
# Of the largest eigenvalue; smaller ones are rounding errors. Eigenvalues are squares of singular
# values, so this is 1e-6 of the largest of those.
RANK_TOLERANCE = 1e-12
SINGLE_RANK_TOLERANCE = 1e-6  # the same of kernels in single precision
# Training participants from whom on kernels are in single precision.
LARGE = 5000
COLUMNS, ROWS = 2048, 2048  # of a large kernel that are computed at a time
# Of the training participants (P, P), and of the held-out ones with these (H, P).
Kernel = tuple[np.ndarray, np.ndarray]


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
    blocks: Sequence[tuple[np.ndarray, np.ndarray]], weights: Sequence[float] | None = None
) -> PrincipalCoordinates:
    """Standardise blocks of features, sum their kernels, and rotate onto the principal axes.

    Each kernel is divided by its Frobenius norm, and multiplied by its weight. (Divided by its
    trace, a block of few strong axes would dominate one of many weak ones, because a penalty hardly
    touches strong axes.) The sum is scaled so that its rows have a mean squared norm of one, as
    those of one block have.

    Parameters
    ----------
    blocks : sequence of (ndarray, ndarray)
        Features of the training participants (P, F) and of the held-out ones (H, F), block by
        block; NaN where a value is missing.
    weights : sequence of float, optional
        Positive weights of the kernels, of which only the ratios matter (default: equal ones).
    """
    participants = len(blocks[0][0])
    # The smaller of the kernel matrix (P, P) and the covariance (F, F) has the same eigenvalues.
    is_wide = sum(train.shape[1] for train, _ in blocks) > participants
    weights = weights or [1.0] * len(blocks)
    if len(blocks) == 1:
        train, held = standardise(*blocks[0])
    elif is_wide:
        # One after the other: side by side, blocks would be in memory twice.
        return sum_kernels((block_kernel(*block) for block in blocks), weights)
    else:
        train, held = _side_by_side(blocks, weights)
    if is_wide:
        return _from_kernels(train @ train.T, held @ train.T)
    values, vectors = _axes(train.T @ train)
    return PrincipalCoordinates(train @ vectors, held @ vectors, values)


def _from_kernels(kernel_PP: np.ndarray, kernel_HP: np.ndarray) -> PrincipalCoordinates:
    """Rotate through the kernel: the axes themselves, features × R, are never formed."""
    if kernel_PP.dtype == np.float32:
        return _from_large_kernels(kernel_PP, kernel_HP)
    values, vectors = _axes(kernel_PP)
    return PrincipalCoordinates(vectors * values, kernel_HP @ (vectors / values), values)


def _from_large_kernels(kernel_PP: np.ndarray, kernel_HP: np.ndarray) -> PrincipalCoordinates:
    """Rotate with one matrix beside the kernel of the training participants, which is lost."""
    squares_P, vectors_PP = linalg.eigh(
        kernel_PP, driver="evr", overwrite_a=True, check_finite=False
    )
    # eigh sorts in ascending order, so the small ones are in front.
    first = int((squares_P <= SINGLE_RANK_TOLERANCE * max(squares_P[-1], CONSTANT)).sum())
    values, vectors_PR = np.sqrt(squares_P[first:])[::-1], vectors_PP[:, first:][:, ::-1]
    held_HR = kernel_HP @ vectors_PR
    held_HR /= values
    vectors_PR *= values
    return PrincipalCoordinates(vectors_PR, held_HR, values)


def kernel_by_columns(features_PF: np.ndarray, train: np.ndarray, held: np.ndarray) -> Kernel:
    """Return the kernel of `block_kernel` in single precision, made of some columns at a time.

    Parameters
    ----------
    features_PF : ndarray
        Of all participants; NaN where a value is missing. May be a file that is mapped into memory.
    train, held : ndarray of int
        Rows of the training and the held-out participants.

    Returns
    -------
    kernel_PP, kernel_HP : ndarray of float32
    """
    features = features_PF.shape[1]
    kernel_PP = np.zeros((len(train), len(train)), np.float32)
    kernel_HP = np.zeros((len(held), len(train)), np.float32)
    for start in range(0, features, COLUMNS):
        columns = features_PF[:, start : start + COLUMNS]
        parts = standardise(columns[train], columns[held])
        # `standardise` divides by the square root of the number of these columns.
        share = np.sqrt(columns.shape[1] / features)
        train_PF, held_HF = ((share * part).astype(np.float32) for part in parts)
        kernel_HP += held_HF @ train_PF.T
        for row in range(0, len(train), ROWS):
            stop = row + ROWS
            kernel_PP[row:stop, :stop] += train_PF[row:stop] @ train_PF[:stop].T
    for row in range(0, len(train), ROWS):
        kernel_PP[:row, row : row + ROWS] = kernel_PP[row : row + ROWS, :row].T
    return kernel_PP, kernel_HP


def block_kernel(train_PF: np.ndarray, held_HF: np.ndarray) -> Kernel:
    """Return the kernel of a block: products of its standardised rows with the training ones.

    Parameters
    ----------
    train_PF, held_HF : ndarray
        Features of the training and the held-out participants; NaN where a value is missing.

    Returns
    -------
    kernel_PP, kernel_HP : ndarray
    """
    train, held = standardise(train_PF, held_HF)
    return train @ train.T, held @ train.T


def gaussian_kernel(train_PF: np.ndarray, held_HF: np.ndarray) -> Kernel:
    """Return the Gaussian kernel of the standardised rows, for models that are not linear.

    Its width is the median distance between training participants. In the space of the kernel
    training participants have mean zero and a mean squared norm of one, as rows of `standardise`
    have, so that the same L2 strengths are of use.

    Parameters
    ----------
    train_PF, held_HF : ndarray
        As for `block_kernel`.

    Returns
    -------
    kernel_PP, kernel_HP : ndarray
    """
    train, held = standardise(train_PF, held_HF)
    squares_P = np.einsum("pf,pf->p", train, train)
    squares_H = np.einsum("pf,pf->p", held, held)
    distance_PP = np.maximum(squares_P[:, None] + squares_P - 2 * train @ train.T, 0)
    distance_HP = np.maximum(squares_H[:, None] + squares_P - 2 * held @ train.T, 0)
    # Participants without features all lie in the mean, so distances may be zero.
    apart = distance_PP[distance_PP > CONSTANT]
    width = 2 * float(np.median(apart)) if apart.size else 1.0
    kernel_PP, kernel_HP = np.exp(-distance_PP / width), np.exp(-distance_HP / width)
    mean_P = kernel_PP.mean(axis=0)
    kernel_HP += mean_P.mean() - mean_P - kernel_HP.mean(axis=1, keepdims=True)
    kernel_PP += mean_P.mean() - mean_P - mean_P[:, None]
    scale = float(np.trace(kernel_PP)) / len(kernel_PP) or 1.0
    return kernel_PP / scale, kernel_HP / scale


def sum_kernels(kernels: Iterable[Kernel], weights: Iterable[float]) -> PrincipalCoordinates:
    """Sum kernels as `rotate_blocks` does, and rotate onto the principal axes of the sum.

    Parameters
    ----------
    kernels : iterable of (ndarray, ndarray)
        Of `block_kernel`, `kernel_by_columns` or `gaussian_kernel`. Of an iterator, only one is in
        memory beside the sum.
    weights : iterable of float
    """
    parts = zip(kernels, weights, strict=True)
    (kernel_PP, kernel_HP), weight = next(parts)
    total = _over_norm(weight, kernel_PP)
    kernel_PP, kernel_HP = total * kernel_PP, total * kernel_HP
    for (of_block_PP, of_block_HP), weight in parts:
        scale = _over_norm(weight, of_block_PP)
        kernel_PP += scale * of_block_PP
        kernel_HP += scale * of_block_HP
        total += scale
    kernel_PP /= total or 1.0
    kernel_HP /= total or 1.0
    return _from_kernels(kernel_PP, kernel_HP)


def _side_by_side(
    blocks: Sequence[tuple[np.ndarray, np.ndarray]], weights: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features whose kernel is that sum."""
    standardised = [standardise(*block) for block in blocks]
    # The covariance (F, F) has the Frobenius norm of the kernel.
    scales = np.array(
        [
            _over_norm(w, train.T @ train)
            for w, (train, _) in zip(weights, standardised, strict=True)
        ]
    )
    roots = np.sqrt(scales / (scales.sum() or 1.0))
    parts = zip(*standardised, strict=True)
    train, held = (np.hstack([r * x for r, x in zip(roots, part, strict=True)]) for part in parts)
    return train, held


def _over_norm(weight: float, square: np.ndarray) -> float:
    """Divide a weight by the Frobenius norm; zero for a block of constant features."""
    norm = float(np.linalg.norm(square))
    return weight / norm if norm > 0 else 0.0


def _axes(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the singular values and vectors of which a matrix is the square, largest first."""
    squares, vectors = np.linalg.eigh(square)
    nonzero = squares > RANK_TOLERANCE * max(squares.max(initial=0.0), CONSTANT)
    # eigh sorts in ascending order.
    return np.sqrt(squares[nonzero])[::-1], vectors[:, nonzero][:, ::-1]
