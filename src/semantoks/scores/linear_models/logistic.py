"""L2 logistic regressions of the same participants, many of them at once.

Legend: P participants, R principal axes and the intercept, C columns (regressions), K logits per
regression: one for two classes, else one per class.
"""

from __future__ import annotations

import numpy as np

from semantoks.scores.linear_models.conjugate_gradients import minimise
from semantoks.scores.linear_models.logistic_loss import LogisticLoss, WeightedClasses

TOLERANCE = 1e-7
SINGLE_TOLERANCE = 3e-3  # the least that rounding allows for rows in single precision


def fit_logistic(
    rows_PR: np.ndarray,
    targets: WeightedClasses,
    penalty_C: np.ndarray,
    *,
    start: np.ndarray | None = None,
    offset: np.ndarray | float = 0.0,
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """Fit every column, in the precision of the rows.

    Minimises the weighted sum of the log loss plus half the penalty times the squared norm of the
    weights: with `balanced_classes` that is scikit-learn's
    ``LogisticRegression(C=1 / penalty, class_weight="balanced")``.

    Parameters
    ----------
    rows_PR : ndarray
        Coordinates on principal axes, and a column of ones last; see `with_intercept`.
    targets : WeightedClasses
    penalty_C : ndarray
        L2 penalty of each column.
    start : ndarray, shape (R, columns, K), optional
        Initial weights, zero by default.
    offset : ndarray, shape (participants, columns, K), optional
        Added to the logits of the rows.
    tolerance : float
        Norm of the gradient at which a column has converged, measured with the inverse of the
        diagonal Hessian: the summed loss is then within about half its square of the minimum.

    Returns
    -------
    ndarray, shape (R, columns, K)
    """
    if rows_PR.dtype == np.float32:
        tolerance = max(tolerance, SINGLE_TOLERANCE)
    return minimise(LogisticLoss(rows_PR, targets, penalty_C, offset), start, tolerance)


def fit_class_offsets(logits_PCK: np.ndarray, targets: WeightedClasses) -> np.ndarray:
    """Fit the number per class that minimises the log loss when added to the logits.

    Where features outnumber participants, the weights overfit the training participants, most of
    all those of a small class, and the intercept compensates for that: it is wrong for everybody
    else. Offsets that are fitted to cross-validated logits correct it.

    Parameters
    ----------
    logits_PCK : ndarray
        Cross-validated logits.
    targets : WeightedClasses

    Returns
    -------
    ndarray, shape (columns, K)
    """
    # Start between the class means: logits may be tiny and all of one sign.
    means = [_mean_within(logits_PCK, targets.code_PC == k) for k in range(targets.classes)]
    middle = np.mean(means, axis=0)
    offsets = fit_logistic(
        np.ones((len(logits_PCK), 1)),
        targets,
        np.zeros(logits_PCK.shape[1]),
        offset=logits_PCK - middle,
    )
    return np.asarray(offsets[0] - middle)


def _mean_within(logits_PCK: np.ndarray, inside_PC: np.ndarray) -> np.ndarray:
    """Mean logits of the participants inside a class, shape (columns, K)."""
    return np.asarray(
        np.einsum("pck,pc->ck", logits_PCK, inside_PC)
        / np.maximum(inside_PC.sum(axis=0), 1)[:, None]
    )
