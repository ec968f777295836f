"""Ridge regression on principal axes, in closed form for all strengths, targets and folds.

Legend: P training participants, H held-out participants, R principal axes, T targets,
S strengths.
"""

from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.axes import PrincipalCoordinates


def ridge(
    coordinates: PrincipalCoordinates, target_PT: np.ndarray, strength_T: np.ndarray
) -> np.ndarray:
    """Fit every target with its L2 strength and predict the held-out participants.

    Parameters
    ----------
    coordinates : PrincipalCoordinates
    target_PT : ndarray
    strength_T : ndarray
        Penalty of each target, divided by the number of training participants.

    Returns
    -------
    ndarray, shape (held-out participants, targets)
    """
    mean, dtype = target_PT.mean(axis=0), coordinates.train_PR.dtype
    penalty_T = strength_T * len(target_PT)
    # In the precision of the coordinates: NumPy would copy them to the higher one.
    projected_RT = coordinates.train_PR.T @ (target_PT - mean).astype(dtype)
    weights_RT = projected_RT / (coordinates.singular_values_R[:, None] ** 2 + penalty_T)
    predicted: np.ndarray = mean + coordinates.held_HR @ weights_RT.astype(dtype)
    return predicted


def ridge_over_folds(
    coordinates: PrincipalCoordinates,
    target_PT: np.ndarray,
    strengths: np.ndarray,
    fold_P: np.ndarray,
) -> np.ndarray:
    """Predict each training participant from the other folds, at every strength.

    No model is fitted again: with the hat matrix H of all training participants, the residuals of
    a fold that is left out are (I − H_ff)⁻¹ times its residuals in the full fit, where H_ff is the
    block of that fold. Source: An et al. 2007, doi:10.1016/j.patcog.2006.12.015.

    Parameters
    ----------
    coordinates : PrincipalCoordinates
    target_PT : ndarray
    strengths : ndarray
    fold_P : ndarray of int
        Inner fold of each training participant.

    Returns
    -------
    ndarray, shape (strengths, training participants, targets)
    """
    participants = len(target_PT)
    values_R = coordinates.singular_values_R
    basis_PR = coordinates.train_PR / np.where(values_R > 0, values_R, 1)
    mean = target_PT.mean(axis=0)
    # In the precision of the coordinates: NumPy would copy them to the higher one.
    projected_RT = basis_PR.T @ (target_PT - mean).astype(basis_PR.dtype)
    squares = values_R**2
    # The identity needs the same penalty with and without the fold, so it is that of all P.
    shrinkage_SR = squares / (squares + strengths[:, None] * participants)
    shrinkage_SR = shrinkage_SR.astype(basis_PR.dtype)
    predicted_SPT = np.stack(
        [mean + basis_PR @ (shrinkage_R[:, None] * projected_RT) for shrinkage_R in shrinkage_SR]
    )
    for fold in np.unique(fold_P):
        inside = np.flatnonzero(fold_P == fold)
        basis_FR = basis_PR[inside]
        for index, shrinkage_R in enumerate(shrinkage_SR):
            residual = target_PT[inside] - predicted_SPT[index, inside]
            left_out = _left_out_residual(basis_FR, shrinkage_R, participants, residual)
            predicted_SPT[index, inside] = target_PT[inside] - left_out
    return predicted_SPT


def _left_out_residual(
    basis_FR: np.ndarray, shrinkage_R: np.ndarray, participants: int, residual_FT: np.ndarray
) -> np.ndarray:
    """Residuals of a fold's F participants in the fit without them."""
    # The root keeps the product symmetric, and only the block of the fold is ever formed.
    half = basis_FR * np.sqrt(shrinkage_R)
    hat = half @ half.T + 1 / participants  # the constant is the intercept's part of the hat matrix
    return np.asarray(np.linalg.solve(np.eye(len(hat)) - hat, residual_FT))
