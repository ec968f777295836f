"""Fits of the exact protocol: L2 logistic or ridge regression, its strength chosen by inner folds.

Legend: P training participants, H held-out participants, R principal axes, T classifications,
S strengths, K classes or logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from semantoks.scores.linear_models.axes import PrincipalCoordinates, rotate
from semantoks.scores.linear_models.logistic import TOLERANCE, fit_class_offsets, fit_logistic
from semantoks.scores.linear_models.logistic_folds import InnerFolds
from semantoks.scores.linear_models.logistic_loss import (
    WeightedClasses,
    balanced_classes,
    log_losses,
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
    inner_loss : float
        Loss of the inner folds at this strength: mean squared error of the standardised target, or
        class-balanced log loss of the exact fits with their offsets. Of the same participants and
        folds it ranks representations.
    """

    predicted_HK: np.ndarray
    cross_validated_PK: np.ndarray
    logits_HK: np.ndarray
    strength: float
    inner_loss: float


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
    inner = inner_SPT[best] * deviation + mean
    return ProbeFit(held, inner, held, float(strengths[best]), float(losses[best]))


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
    folds = InnerFolds(code_PT, fold_PT, classes)
    targets = balanced_classes(code_PT, np.ones(code_PT.shape, bool), classes)
    best_T, start_RCK = _rank_strengths(folds, coordinates.train_PR, targets, strengths)
    chosen_T = strengths[best_T]
    train_PR = with_intercept(coordinates.train_PR)
    # Offsets move the threshold of a decision, so they need exact fits: from rough ones, balanced
    # accuracy of uneven classes was off by up to 0.09 in a split.
    inner_RCK = folds.fit(train_PR, chosen_T, start_RCK, TOLERANCE)
    inner_PTK = folds.left_out(train_PR, inner_RCK)
    offsets_TK = logits_per_class(fit_class_offsets(inner_PTK, targets))
    # Start from the mean weights over inner folds, which are close to the solution.
    start_RTK = inner_RCK.reshape(len(inner_RCK), len(best_T), folds.number, -1).mean(axis=2)
    # A strength is per participant; the penalty of the summed loss is scikit-learn's 1 / C.
    weights_RTK = fit_logistic(train_PR, targets, chosen_T * len(code_PT), start=start_RTK)
    logits_HTK = logits_per_class(logits_of(with_intercept(coordinates.held_HR), weights_RTK))
    # Stacking gets logits without offsets: the second probe fits offsets of its own.
    inner_PTK = logits_per_class(inner_PTK)
    losses_T = log_losses(inner_PTK + offsets_TK, targets)
    return [
        ProbeFit(
            np.asarray(softmax(logits_HTK[:, task] + offsets_TK[task], axis=1)),
            inner_PTK[:, task],
            logits_HTK[:, task],
            float(chosen_T[task]),
            float(losses_T[task]),
        )
        for task in range(len(best_T))
    ]


def _rank_strengths(
    folds: InnerFolds, train_PR: np.ndarray, targets: WeightedClasses, strengths: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """Choose a strength for each classification by rough fits in single precision.

    Returns
    -------
    best : list of int
        Position of the strength of each classification.
    weights : ndarray, shape (R, columns, K)
        Of the inner folds at that strength, to start exact fits from.
    """
    # Single precision is enough to rank strengths, and halves the memory traffic.
    rows_PR = with_intercept(train_PR.astype(np.float32, copy=False))
    losses, all_weights, weights = list[np.ndarray](), list[np.ndarray](), None
    for strength in strengths:
        strength_T = np.full(targets.code_PC.shape[1], strength)
        weights = folds.fit(rows_PR, strength_T, weights, RANKING_TOLERANCE)
        inner_PTK = folds.left_out(rows_PR, weights)
        offsets_TK = logits_per_class(fit_class_offsets(inner_PTK, targets))
        losses.append(log_losses(logits_per_class(inner_PTK) + offsets_TK, targets))
        all_weights.append(weights)
    best_T = [strongest_of_best(losses_S) for losses_S in np.transpose(losses)]
    best_C = np.repeat(best_T, folds.number)
    columns = [all_weights[best][:, column] for column, best in enumerate(best_C)]
    return best_T, np.stack(columns, axis=1).astype(float)


def strongest_of_best(losses_S: np.ndarray) -> int:
    """Index of the least loss; of losses that are equal but for rounding, the first (strongest)."""
    # Without informative features all strengths give the same loss, and rounding must not choose.
    return int(np.flatnonzero(losses_S <= losses_S.min() * (1 + 1e-9) + 1e-12)[0])
