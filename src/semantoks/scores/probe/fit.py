"""Fits of the exact protocol: L2 logistic or ridge regression, its strength chosen by inner folds.

Legend: P training participants, H held-out participants, R principal axes, T classifications,
S strengths, K classes or logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

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
AT_ONCE = 100  # tasks, whose predictions at every strength are in memory together
# Targets of the training participants, and their inner folds.
Task: TypeAlias = tuple[Targets, np.ndarray]


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
    return fit_probes(coordinates, [(targets, fold_P)], strengths)[0]


def fit_probes(
    coordinates: PrincipalCoordinates,
    tasks: Sequence[Task],
    strengths: Sequence[float],
) -> list[ProbeFit]:
    """Fit a probe to each task of the same participants, those of one kind at once.

    Parameters
    ----------
    coordinates : PrincipalCoordinates
    tasks : sequence of (Targets, ndarray)
        Targets and inner folds of the training participants.
    strengths : sequence of float
    """
    # Each fit starts from the next stronger one, and `strongest_of_best` returns the first.
    strongest_first = np.sort(np.asarray(strengths, float))[::-1]
    fits = dict[int, ProbeFit]()
    for numbers in _alike(tasks):
        targets, folds = zip(*(tasks[number] for number in numbers), strict=True)
        if isinstance(targets[0], RegressionTargets):
            values_PT = np.stack([target.values_P for target in targets], axis=1)
            fitted = _fit_regressions(coordinates, values_PT, folds[0], strongest_first)
        else:
            code_PT = np.stack([target.codes_P for target in targets], axis=1)
            fold_PT, classes = np.stack(folds, axis=1), len(targets[0].class_names)
            fitted = fit_classifications(coordinates, code_PT, fold_PT, classes, strongest_first)
        fits |= dict(zip(numbers, fitted, strict=True))
    return [fits[number] for number in range(len(tasks))]


def _alike(tasks: Sequence[Task]) -> Iterator[Sequence[int]]:
    """Yield the numbers of tasks that can be fitted at once, at most `AT_ONCE`.

    These are regressions with the same inner folds, and classifications with as many classes.
    """
    groups = dict[bytes | int, list[int]]()
    for number, (targets, fold_P) in enumerate(tasks):
        if isinstance(targets, ClassificationTargets):
            groups.setdefault(len(targets.class_names), []).append(number)
        else:
            groups.setdefault(fold_P.tobytes(), []).append(number)
    for numbers in groups.values():
        for start in range(0, len(numbers), AT_ONCE):
            yield numbers[start : start + AT_ONCE]


def fit_stacked(
    parts: Sequence[PrincipalCoordinates], tasks: Sequence[Task], strengths: Sequence[float]
) -> list[ProbeFit]:
    """Fit probes to a representation, or stacked ones to several.

    Stacking fits a second probe to the cross-validated predictions of a probe of each part.
    Source: Wolpert 1992, doi:10.1016/S0893-6080(05)80023-1.
    """
    of_parts = [fit_probes(part, tasks, strengths) for part in parts]
    if len(of_parts) == 1:
        return of_parts[0]
    by_task = zip(*of_parts, strict=True)
    return [_stack(fits, *task, strengths) for fits, task in zip(by_task, tasks, strict=True)]


def _stack(
    fits: Sequence[ProbeFit], targets: Targets, fold_P: np.ndarray, strengths: Sequence[float]
) -> ProbeFit:
    is_binary = isinstance(targets, ClassificationTargets) and len(targets.class_names) == 2
    first = 1 if is_binary else 0  # with two classes the first logit is always zero
    train_PK = np.hstack([fit.cross_validated_PK[:, first:] for fit in fits])
    held_HK = np.hstack([fit.logits_HK[:, first:] for fit in fits])
    # Each training row comes from fits without its participant, as the held-out rows do.
    return fit_probe(rotate(train_PK, held_HK), targets, fold_P, strengths)


def _fit_regressions(
    coordinates: PrincipalCoordinates,
    values_PT: np.ndarray,
    fold_P: np.ndarray,
    strengths: np.ndarray,
) -> list[ProbeFit]:
    """Fit ridge regressions to standardised targets, so that their units do not matter."""
    # Column by column: a sum over an axis of one number is rounded in another order.
    mean_T = np.array([values.mean() for values in values_PT.T.copy()])
    deviation_T = np.array([values.std() or 1.0 for values in values_PT.T.copy()])
    target_PT = (values_PT - mean_T) / deviation_T
    inner_SPT = ridge_over_folds(coordinates, target_PT, strengths, fold_P)
    squares_TSP = np.ascontiguousarray(((inner_SPT - target_PT) ** 2).transpose(2, 0, 1))
    losses_TS = squares_TSP.mean(axis=2)
    best_T = [strongest_of_best(losses_S) for losses_S in losses_TS]
    held_HT = ridge(coordinates, target_PT, strengths[best_T]) * deviation_T + mean_T
    fits = []
    for task, best in enumerate(best_T):
        held_HK = held_HT[:, [task]]
        inner_PK = inner_SPT[best][:, [task]] * deviation_T[task] + mean_T[task]
        strength, loss = float(strengths[best]), float(losses_TS[task, best])
        fits.append(ProbeFit(held_HK, inner_PK, held_HK, strength, loss))
    return fits


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
