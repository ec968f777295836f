"""Ridge regressions of all permutations of a phenotype at once, each with a strength of its own.

Legend: P training participants, H test participants, M permutations, S strengths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from semantoks.scores.linear_models.axes import PrincipalCoordinates
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from semantoks.scores.linear_models.stacked_ridge import stacked_ridge


def predict(
    parts: Sequence[PrincipalCoordinates],
    target_PM: np.ndarray,
    fold_P: np.ndarray,
    strengths: np.ndarray,
    *,
    is_class: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every permutation from a representation, or from several stacked.

    Indicators of classes are stacked without the means of the other folds, see `Permutations.add`.
    """
    of_parts = [_predict_from(part, target_PM, fold_P, strengths) for part in parts]
    if len(of_parts) == 1:
        return of_parts[0]
    held_HMC, train_PMC = (np.stack(arrays, axis=-1) for arrays in zip(*of_parts, strict=True))
    if is_class:
        train_PMC = train_PMC - mean_of_other_folds(target_PM, fold_P)[..., None]
        held_HMC = held_HMC - target_PM.mean(axis=0)[..., None]
    return stacked_ridge(train_PMC, held_HMC, target_PM, strengths, fold_P)


def _predict_from(
    coordinates: PrincipalCoordinates,
    target_PM: np.ndarray,
    fold_P: np.ndarray,
    strengths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every permutation with the strength that its own inner folds choose.

    Returns
    -------
    predicted : ndarray, shape (test participants, permutations)
    inner : ndarray, shape (training participants, permutations)
        Predictions from the inner folds that the participant is not in.
    """
    inner_SPM = ridge_over_folds(coordinates, target_PM, strengths, fold_P)
    # The choice of strength is repeated for each shuffle. With the strength of the real phenotype,
    # the shuffles would not be exchangeable with it.
    losses_SM = ((inner_SPM - target_PM) ** 2).sum(axis=1)
    best_M = losses_SM.argmin(axis=0)
    inner_PM = np.take_along_axis(inner_SPM, best_M[None, None], axis=0)[0]
    return ridge(coordinates, target_PM, strengths[best_M]), inner_PM


def mean_square(residual_PM: np.ndarray) -> np.ndarray:
    """Mean of the squares of each column."""
    return np.asarray(np.einsum("pm,pm->m", residual_PM, residual_PM) / len(residual_PM))


def mean_of_other_folds(target_PM: np.ndarray, fold_P: np.ndarray) -> np.ndarray:
    """Mean of the targets that each participant's inner fit is made with."""
    inside_PF = (fold_P[:, None] == np.unique(fold_P)).astype(float)
    others_FM = target_PM.sum(axis=0) - inside_PF.T @ target_PM
    counts_F = len(fold_P) - inside_PF.sum(axis=0)
    return np.asarray(inside_PF @ (others_FM / counts_F[:, None]))


def middle_of_classes(inner_PM: np.ndarray, code_PM: np.ndarray, classes: int) -> np.ndarray:
    """Threshold of each permutation between classes, as the offsets of a logistic probe are."""
    means = []
    for code in range(classes):
        inside_PM = code_PM == code
        count_M = np.maximum(inside_PM.sum(axis=0), 1)
        means.append((inner_PM * inside_PM).sum(axis=0) / count_M)
    return np.asarray(np.mean(means, axis=0))
