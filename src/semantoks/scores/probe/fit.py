"""Fits of the exact protocol: L2 logistic or ridge regression, its strength chosen by inner folds.

Legend: P training participants, H held-out participants, R principal axes, T classifications,
S strengths, K classes or logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax

from semantoks.scores.linear_models.axes import PrincipalCoordinates, rotate
from semantoks.scores.linear_models.logistic import fit_class_offsets, fit_logistic
from semantoks.scores.linear_models.logistic_loss import (
    WeightedClasses,
    balanced_classes,
    logits_of,
    logits_per_class,
    with_intercept,
)
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from semantoks.scores.probe.targets import ClassificationTargets, RegressionTargets, Targets

# Half its square, 0.0005, is how far the summed loss may be from the minimum: loose, for fits that
# only rank strengths.
RANKING_TOLERANCE = 0.03


@dataclass(frozen=True)
class ProbeFit:
    """Predictions of a fitted probe.

    Attributes
    ----------
    predicted_HK : ndarray
        Probabilities (held-out participants, classes), or numbers (held-out participants, 1).
    cross_validated_PK : ndarray
        Logits (training participants, classes) or numbers (training participants, 1), each from
        the inner folds that the participant is not in.
    logits_HK : ndarray
        The same quantity as `cross_validated_PK`, for the held-out participants.
    strength : float
        L2 strength that was chosen.
    """

    predicted_HK: np.ndarray
    cross_validated_PK: np.ndarray
    logits_HK: np.ndarray
    strength: float


def fit_probe(
    coordinates: PrincipalCoordinates,
    targets: Targets,
    fold_P: np.ndarray,
    strengths: Sequence[float],
) -> ProbeFit:
    """Choose the strength over the inner folds, fit, and predict the held-out participants.

    Parameters
    ----------
    coordinates : PrincipalCoordinates
    targets : Targets
        Of the training participants.
    fold_P : ndarray of int
        Inner fold of each training participant.
    strengths : sequence of float
        L2 strengths to choose from.
    """
    # Each fit starts from the next stronger one, and `strongest_of_best` returns the first.
    strongest_first = np.sort(np.asarray(strengths, float))[::-1]
    if isinstance(targets, RegressionTargets):
        return _fit_regression(coordinates, targets.values_P, fold_P, strongest_first)
    code_PT, fold_PT = targets.codes_P[:, None], fold_P[:, None]
    classes = len(targets.class_names)
    return fit_classifications(coordinates, code_PT, fold_PT, classes, strongest_first)[0]


def fit_stacked(
    parts: Sequence[PrincipalCoordinates],
    targets: Targets,
    fold_P: np.ndarray,
    strengths: Sequence[float],
) -> ProbeFit:
    """Fit a probe to a representation, or a stacked one to several.

    Stacking fits a second probe to the cross-validated predictions of a probe of each part.
    Source: Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1.
    """
    fits = [fit_probe(part, targets, fold_P, strengths) for part in parts]
    if len(fits) == 1:
        return fits[0]
    is_binary = isinstance(targets, ClassificationTargets) and len(targets.class_names) == 2
    first = 1 if is_binary else 0  # with two classes the first logit is always zero
    train_PK = np.hstack([fit.cross_validated_PK[:, first:] for fit in fits])
    held_HK = np.hstack([fit.logits_HK[:, first:] for fit in fits])
    # Each training row comes from fits without its participant, as the held-out rows do.
    return fit_probe(rotate(train_PK, held_HK), targets, fold_P, strengths)


def _fit_regression(
    coordinates: PrincipalCoordinates,
    values_P: np.ndarray,
    fold_P: np.ndarray,
    strengths: np.ndarray,
) -> ProbeFit:
    """Fit ridge regression to the standardised target, so that its unit does not matter."""
    mean, deviation = values_P.mean(), values_P.std() or 1.0
    target = ((values_P - mean) / deviation)[:, None]
    inner_SPT = ridge_over_folds(coordinates, target, strengths, fold_P)
    losses = ((inner_SPT - target) ** 2).mean(axis=(1, 2))
    best = strongest_of_best(losses)
    held = ridge(coordinates, target, strengths[[best]]) * deviation + mean
    return ProbeFit(held, inner_SPT[best] * deviation + mean, held, float(strengths[best]))


def fit_classifications(
    coordinates: PrincipalCoordinates,
    code_PT: np.ndarray,
    fold_PT: np.ndarray,
    classes: int,
    strengths: np.ndarray,
) -> list[ProbeFit]:
    """Fit classifications of the same participants, with the same number of classes, at once.

    Parameters
    ----------
    coordinates : PrincipalCoordinates
    code_PT : ndarray of int
        Class codes of the training participants, one column per classification.
    fold_PT : ndarray of int
        Inner folds of the training participants.
    classes : int
    strengths : ndarray
        In descending order: each fit starts from the solution of the stronger penalty.
    """
    train_PR, held_HR = coordinates.train_PR, coordinates.held_HR
    inner_SPTK, weights_SRTK = _fit_inner_folds(train_PR, code_PT, fold_PT, classes, strengths)
    targets = balanced_classes(code_PT, np.ones(code_PT.shape, bool), classes)
    offsets_STK = np.stack([fit_class_offsets(inner, targets) for inner in inner_SPTK])
    inner_SPTK, offsets_STK = logits_per_class(inner_SPTK), logits_per_class(offsets_STK)
    losses_TS = _log_losses(inner_SPTK + offsets_STK[:, None], targets).T
    best_T = [strongest_of_best(losses_S) for losses_S in losses_TS]
    # Start from the mean weights over inner folds, which are close to the solution.
    weights_RTK = fit_logistic(
        with_intercept(train_PR),
        targets,
        # A strength is per participant; the penalty of the summed loss is scikit-learn's 1 / C.
        strengths[best_T] * len(code_PT),
        start=np.stack([weights_SRTK[best, :, task] for task, best in enumerate(best_T)], axis=1),
    )
    logits_HTK = logits_per_class(logits_of(with_intercept(held_HR), weights_RTK))
    return [
        ProbeFit(
            np.asarray(softmax(logits_HTK[:, task] + offsets_STK[best, task], axis=1)),
            # Stacking gets logits without offsets: the second probe fits offsets of its own.
            inner_SPTK[best, :, task],
            logits_HTK[:, task],
            float(strengths[best]),
        )
        for task, best in enumerate(best_T)
    ]


def _fit_inner_folds(
    train_PR: np.ndarray,
    code_PT: np.ndarray,
    fold_PT: np.ndarray,
    classes: int,
    strengths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit without each inner fold at every strength, in single precision.

    Returns
    -------
    logits : ndarray, shape (strengths, training participants, classifications, K)
        Of each participant, from the fit without their fold.
    weights : ndarray, shape (strengths, R, classifications, K)
        Mean over folds.
    """
    # Single precision is enough to rank strengths, and halves the memory traffic.
    rows = with_intercept(train_PR.astype(np.float32))
    folds = int(fold_PT.max()) + 1
    # One column per classification and fold: all inner fits share each matrix product.
    outside_PTF = fold_PT[:, :, None] != np.arange(folds)
    outside_PC = outside_PTF.reshape(len(rows), -1)
    targets = balanced_classes(np.repeat(code_PT, folds, axis=1), outside_PC, classes)
    logits, means, weights = [], [], None
    for strength in strengths:
        # Per participant of the fit, so a strength means the same with and without a fold.
        penalty_C = strength * outside_PC.sum(axis=0)
        weights = fit_logistic(rows, targets, penalty_C, start=weights, tolerance=RANKING_TOLERANCE)
        of_folds = logits_of(rows, weights).reshape(*outside_PTF.shape, -1)
        left_out = np.take_along_axis(of_folds, fold_PT[:, :, None, None], axis=2)[:, :, 0]
        logits.append(left_out.astype(float))
        means.append(weights.reshape(len(weights), -1, folds, left_out.shape[-1]).mean(axis=2))
    return np.stack(logits), np.stack(means)


def _log_losses(logits_SPTK: np.ndarray, targets: WeightedClasses) -> np.ndarray:
    """Weighted mean of the log loss, shape (strengths, classifications)."""
    codes = targets.code_PC[None, :, :, None]
    logit_of_class = np.take_along_axis(logits_SPTK, codes, axis=3)[..., 0]
    # logsumexp, because the log of a softmax that has underflowed to zero is minus infinity.
    losses_SPT = logsumexp(logits_SPTK, axis=3) - logit_of_class
    sums = np.einsum("spt,pt->st", losses_SPT, targets.weight_PC)
    return np.asarray(sums / len(targets.code_PC))


def strongest_of_best(losses_S: np.ndarray) -> int:
    """Index of the least loss; of losses that are equal but for rounding, the first (strongest)."""
    # Without informative features all strengths give the same loss, and rounding must not choose.
    return int(np.flatnonzero(losses_S <= losses_S.min() * (1 + 1e-9) + 1e-12)[0])
