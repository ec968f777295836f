"""Weights of blocks of features, chosen inside the training part.

A free choice of weights by inner folds overfits: with seven blocks it predicts worse than with two.
Here the candidates are few, and they are ranked without a fit, by how significant each kernel is in
a score test. The equal sum is left only for a block that is clearly more significant. Each
permutation of the phenotype repeats the choice.

Legend: P training participants, R principal axes, B blocks, M phenotypes (permutations of one).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semantoks.scores.linear_models.axes import PrincipalCoordinates

# How much larger the z of another candidate must be than that of the equal sum. Without a margin,
# blocks that differ by chance alone would be chosen in most splits.
MARGIN = 1.0
ROUNDING = 1e-9  # of the mean of a statistic


def candidate_weights(blocks: int) -> list[np.ndarray]:
    """Weights to choose from, each of shape (blocks,): the equal sum first, then each block alone.

    Parameters
    ----------
    blocks : int
    """
    equal = np.full(blocks, 1 / blocks)
    return [equal, *np.eye(blocks)] if blocks > 1 else [equal]


def choose(
    candidates: Sequence[PrincipalCoordinates], target_PM: np.ndarray, classes: int | None
) -> np.ndarray:
    """Choose a candidate for each phenotype.

    Parameters
    ----------
    candidates : sequence of PrincipalCoordinates
        Of the same participants; the first is left only for one whose z is larger by `MARGIN`.
    target_PM : ndarray
        Numbers, or class codes.
    classes : int or None
        Number of classes; None for numbers.

    Returns
    -------
    ndarray of int, shape (phenotypes,)
    """
    columns = _columns_of(target_PM, classes)
    z_CM = np.stack([score_z(candidate.train_PR, columns) for candidate in candidates])
    z_CM[1:] -= MARGIN
    return np.asarray(z_CM.argmax(axis=0))


def _columns_of(target_PM: np.ndarray, classes: int | None) -> list[np.ndarray]:
    """Return centred numbers, or an indicator of each class, weighted so that classes are balanced.

    The sum of the score tests of these indicators is that of the squared distances between the mean
    of each class and that of everybody.
    """
    if classes is None:
        return [target_PM - target_PM.mean(axis=0)]
    columns = []
    # Two classes have the same test, so the second is enough.
    for code in range(classes) if classes > 2 else [1]:
        indicator_PM = (target_PM == code).astype(float)
        count_M = indicator_PM.sum(axis=0)
        columns.append((indicator_PM - count_M / len(target_PM)) / np.maximum(count_M, 1))
    return columns


def score_z(train_PR: np.ndarray, columns: Sequence[np.ndarray]) -> np.ndarray:
    """Standardise the score statistic of a kernel by its moments under all permutations.

    The statistic is the sum of y'Ky over the columns y of a phenotype. Its mean and variance are
    exact. Source: Kazi-Aoual et al. 1995, doi:10.1016/0167-9473(94)00064-2.

    Parameters
    ----------
    train_PR : ndarray
        Rows whose inner products are the centred kernel, with orthogonal columns of mean zero.
    columns : sequence of ndarray, shape (participants, phenotypes)
        Centred columns of each phenotype.

    Returns
    -------
    ndarray, shape (phenotypes,)
        Zero where the phenotype or the kernel is constant.
    """
    statistic_M = np.sum([((train_PR.T @ y_PM) ** 2).sum(axis=0) for y_PM in columns], axis=0)
    squares_R = np.einsum("pr,pr->r", train_PR, train_PR)
    norms_P = np.einsum("pr,pr->p", train_PR, train_PR)
    kernel = _Moments(squares_R.sum(), (squares_R**2).sum(), (norms_P**2).sum(), len(train_PR))
    phenotypes = _moments_of(columns)
    mean_M = kernel.trace * phenotypes.trace / (len(train_PR) - 1)
    deviation_M = np.sqrt(np.maximum(_variance(kernel, phenotypes), 0))
    # A kernel in which everybody is equally far from everybody has a variance of rounding errors.
    varies_M = deviation_M > ROUNDING * mean_M
    return np.where(varies_M, (statistic_M - mean_M) / np.where(varies_M, deviation_M, 1), 0)


class _Moments(NamedTuple):
    """Trace of a centred matrix, trace of its square, and sum of its squared diagonal."""

    trace: np.ndarray
    square: np.ndarray
    diagonal: np.ndarray
    participants: int

    @property
    def spread(self) -> np.ndarray:
        return (self.participants - 1) * self.square - self.trace**2

    @property
    def peakedness(self) -> np.ndarray:
        n = self.participants
        return n * (n + 1) * self.diagonal - (n - 1) * (self.trace**2 + 2 * self.square)


def _moments_of(columns: Sequence[np.ndarray]) -> _Moments:
    """Moments of the matrix YY' of each phenotype, whose columns are Y."""
    norms_PM = np.sum([y_PM**2 for y_PM in columns], axis=0)
    products = [np.einsum("pm,pm->m", first, second) for first in columns for second in columns]
    square_M = np.sum([product_M**2 for product_M in products], axis=0)
    diagonal_M = (norms_PM**2).sum(axis=0)
    return _Moments(norms_PM.sum(axis=0), square_M, diagonal_M, len(norms_PM))


def _variance(first: _Moments, second: _Moments) -> np.ndarray:
    """Variance of tr(AB) over all permutations of the rows and columns of B."""
    n = first.participants
    spread = 2 * first.spread * second.spread / ((n - 1) ** 2 * (n + 1) * (n - 2))
    peaks = first.peakedness * second.peakedness / ((n + 1) * n * (n - 1) * (n - 2) * (n - 3))
    return np.asarray(spread + peaks)
