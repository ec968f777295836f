"""Ridge regression on principal axes: for every strength, target and fold it is algebra.

Legend: P people, H held-out people, R axes, T targets.
"""

from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.axes import Rotated


def ridge(rotated: Rotated, target_PT: np.ndarray, strength_T: np.ndarray) -> np.ndarray:
    """Predict the held-out people, shape (held, targets), with a strength for each target."""
    mean = target_PT.mean(axis=0)
    penalty_T = strength_T * len(target_PT)
    along_RT = rotated.train_PR.T @ (target_PT - mean)
    predicted: np.ndarray = mean + rotated.held_HR @ (
        along_RT / (rotated.values_R[:, None] ** 2 + penalty_T)
    )
    return predicted


def ridge_over_folds(
    rotated: Rotated, target_PT: np.ndarray, strengths: np.ndarray, fold_P: np.ndarray
) -> np.ndarray:
    """Predict each training person from the other folds, at each strength.

    Leaving a fold out of a ridge regression is linear algebra on its own people, so nothing is
    fitted again.

    Returns
    -------
    ndarray, shape (strengths, people, targets)
    """
    people = len(target_PT)
    basis = rotated.train_PR / np.where(rotated.values_R > 0, rotated.values_R, 1)
    mean = target_PT.mean(axis=0)
    along_RT = basis.T @ (target_PT - mean)
    squares = rotated.values_R**2
    kept_SR = squares / (squares + strengths[:, None] * people)
    predicted = np.stack([mean + basis @ (kept_R[:, None] * along_RT) for kept_R in kept_SR])
    for fold in np.unique(fold_P):
        inside = np.flatnonzero(fold_P == fold)
        own, unit = basis[inside], np.eye(len(inside))
        for index, kept_R in enumerate(kept_SR):
            half = own * np.sqrt(kept_R)
            hat = half @ half.T + 1 / people
            residual = target_PT[inside] - predicted[index, inside]
            predicted[index, inside] = target_PT[inside] - np.linalg.solve(unit - hat, residual)
    return predicted
