"""Ridge regression of many targets, each on a few features of its own.

Legend: P training participants, H held-out participants, T targets, C features of a target,
S strengths.
"""

from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.axes import CONSTANT


def stacked_ridge(
    train_PTC: np.ndarray,
    held_HTC: np.ndarray,
    target_PT: np.ndarray,
    strengths: np.ndarray,
    fold_P: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit every target to its features, with the strength that its inner folds choose.

    This is `rotate`, `ridge_over_folds` and `ridge` for features that differ between targets, such
    as the cross-validated predictions of each permutation of a phenotype.

    Parameters
    ----------
    train_PTC, held_HTC : ndarray
    target_PT : ndarray
    strengths : ndarray
        Penalties, divided by the number of training participants.
    fold_P : ndarray of int
        Inner fold of each training participant.

    Returns
    -------
    predicted : ndarray, shape (held-out participants, targets)
    inner : ndarray, shape (training participants, targets)
        Predictions from the inner folds that the participant is not in.
    """
    train, held = _standardised(train_PTC, held_HTC)
    mean_T = target_PT.mean(axis=0)
    centred_PT = target_PT - mean_T
    gram_TCC = np.einsum("ptc,ptd->tcd", train, train)
    moment_TC = np.einsum("ptc,pt->tc", train, centred_PT)
    penalty_SCC = strengths[:, None, None] * len(target_PT) * np.eye(train.shape[2])
    inner_SPT = np.empty((len(strengths), *target_PT.shape))
    for fold in np.unique(fold_P):
        inside = fold_P == fold
        rows, values = train[inside], centred_PT[inside]
        others = len(fold_P) - len(rows)
        # All rows sum to zero, so the sums of the others are those of the fold with another sign.
        sum_TC, sum_T = -rows.sum(axis=0), -values.sum(axis=0)
        gram = gram_TCC - np.einsum("ptc,ptd->tcd", rows, rows)
        gram -= sum_TC[:, :, None] * sum_TC[:, None] / others
        moment = moment_TC - np.einsum("ptc,pt->tc", rows, values)
        moment -= sum_TC * (sum_T / others)[:, None]
        weights_STC = _solve(gram + penalty_SCC[:, None], moment)
        predicted = np.einsum("ptc,stc->spt", rows - sum_TC / others, weights_STC)
        inner_SPT[:, inside] = predicted + sum_T / others
    best_T = ((inner_SPT - centred_PT) ** 2).sum(axis=1).argmin(axis=0)
    weights_TC = _solve(gram_TCC + penalty_SCC[best_T], moment_TC)
    inner_PT = np.take_along_axis(inner_SPT, best_T[None, None], axis=0)[0]
    return np.einsum("htc,tc->ht", held, weights_TC) + mean_T, inner_PT + mean_T


def _standardised(train_PTC: np.ndarray, held_HTC: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale features as `standardise` does those that all targets share."""
    mean_TC = train_PTC.mean(axis=0)
    deviation_TC = train_PTC.std(axis=0)
    varies = deviation_TC > CONSTANT * np.abs(mean_TC)
    scale_TC = np.where(varies, deviation_TC, np.inf) * np.sqrt(train_PTC.shape[2])
    return (train_PTC - mean_TC) / scale_TC, (held_HTC - mean_TC) / scale_TC


def _solve(matrix: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Solve for one right-hand side per matrix."""
    sides = np.broadcast_to(moment[..., None], (*matrix.shape[:-1], 1))
    return np.asarray(np.linalg.solve(matrix, sides)[..., 0])
