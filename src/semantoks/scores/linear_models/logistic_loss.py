"""The penalised, weighted log loss of many logistic regressions on the same rows.

Inner folds and phenotypes are columns of one matrix, so that the gradients of all regressions are
two matrix products.

Legend: P participants, R principal axes and the intercept, C columns (regressions), K logits per
regression: one for two classes, else one per class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp, softmax


@dataclass(frozen=True)
class WeightedClasses:
    """Classes and weights of the participants, one column per regression.

    Attributes
    ----------
    code_PC : ndarray of int
        Class codes, from 0.
    weight_PC : ndarray
        Weight of each participant; 0 leaves a participant out of a regression.
    classes : int
        Number of classes, the same for all columns.
    """

    code_PC: np.ndarray
    weight_PC: np.ndarray
    classes: int

    @property
    def logits(self) -> int:
        """Number of logits per regression."""
        # With two logits, ±w/2 would replace w: half the squared norm, and so half the penalty.
        return 1 if self.classes == 2 else self.classes


def balanced_classes(code_PC: np.ndarray, included_PC: np.ndarray, classes: int) -> WeightedClasses:
    """Weight the included participants so that all classes count the same.

    Parameters
    ----------
    code_PC : ndarray of int
        Class codes, from 0.
    included_PC : ndarray of bool
        Whom each regression is fitted to.
    classes : int
        Number of classes.

    Returns
    -------
    WeightedClasses
        With a mean weight of one over the included participants, as scikit-learn's
        ``class_weight="balanced"``.
    """
    weight_PC = np.zeros(code_PC.shape)
    members = [included_PC & (code_PC == code) for code in range(classes)]
    count_KC = np.stack([member_PC.sum(axis=0) for member_PC in members])
    for member_PC, count_C in zip(members, count_KC, strict=True):
        # Classes that a fold lacks do not count, as in scikit-learn, which weights those in y.
        present_C = (count_KC > 0).sum(axis=0)
        class_weight_C = included_PC.sum(axis=0) / (present_C * np.maximum(count_C, 1))
        weight_PC += np.where(member_PC, class_weight_C, 0)
    return WeightedClasses(code_PC, weight_PC, classes)


def with_intercept(rows: np.ndarray) -> np.ndarray:
    """Append a column of ones, whose weight is the intercept."""
    return np.c_[rows, np.ones(len(rows), rows.dtype)]


def logits_of(rows_PR: np.ndarray, weights_RCK: np.ndarray) -> np.ndarray:
    """Logits of every regression, shape (participants, columns, K)."""
    flat = weights_RCK.reshape(len(weights_RCK), -1)
    return np.asarray(rows_PR @ flat).reshape(len(rows_PR), *weights_RCK.shape[1:])


def logits_per_class(logits: np.ndarray) -> np.ndarray:
    """Expand logits to one entry per class; with two classes the first one's logit is zero."""
    if logits.shape[-1] > 1:
        return logits
    return np.concatenate([np.zeros_like(logits), logits], axis=-1)


def log_losses(logits_PTK: np.ndarray, targets: WeightedClasses) -> np.ndarray:
    """Weighted mean of the log loss of each column, from one logit per class."""
    codes = targets.code_PC[:, :, None]
    logit_of_class = np.take_along_axis(logits_PTK, codes, axis=2)[..., 0]
    # logsumexp, because the log of a softmax that has underflowed to zero is minus infinity.
    losses_PT = logsumexp(logits_PTK, axis=2) - logit_of_class
    return np.asarray((losses_PT * targets.weight_PC).sum(axis=0) / len(targets.code_PC))


@dataclass(frozen=True)
class Point:
    """Weights of all regressions, with the logits and probabilities that they give."""

    weights_RCK: np.ndarray
    logits_PCK: np.ndarray
    probabilities_PCK: np.ndarray


class LogisticLoss:
    """Weighted log loss plus half the L2 penalty times the squared norm of the weights.

    Parameters
    ----------
    rows_PR : ndarray
        Their dtype is the precision of the arithmetic. The last column is the intercept, which is
        not penalised.
    targets : WeightedClasses
    penalty_C : ndarray
        L2 penalty of each column.
    offset : ndarray, shape (participants, columns, K), or float
        Added to the logits of the rows.
    """

    def __init__(
        self,
        rows_PR: np.ndarray,
        targets: WeightedClasses,
        penalty_C: np.ndarray,
        offset: np.ndarray | float = 0.0,
    ) -> None:
        dtype, logits = rows_PR.dtype, targets.logits
        codes = targets.code_PC[:, :, None]
        self.rows, self._offset = rows_PR, np.asarray(offset, dtype)
        self._squared_norms = np.einsum("pr,pr->r", rows_PR, rows_PR)[:, None, None]
        self._weight = targets.weight_PC[:, :, None].astype(dtype)
        self._one_hot = (codes == (1 if logits == 1 else np.arange(logits))).astype(dtype)
        penalty_RC = np.tile(np.asarray(penalty_C, dtype), (rows_PR.shape[1], 1))
        self.penalty = penalty_RC[:, :, None]
        self.penalty[-1] = 0  # an intercept that is shrunk would bias the class frequencies
        self.shape = (rows_PR.shape[1], targets.code_PC.shape[1], logits)

    def at(self, weights_RCK: np.ndarray) -> Point:
        """Evaluate logits and probabilities at some weights."""
        logits = logits_of(self.rows, weights_RCK) + self._offset
        return Point(weights_RCK, logits, probabilities_of(logits))

    def logit_gradient(self, probabilities_PCK: np.ndarray) -> np.ndarray:
        """Gradient of the log loss with respect to the logits, shape (participants, columns, K)."""
        return np.asarray(self._weight * (probabilities_PCK - self._one_hot))

    def gradient(self, point: Point) -> np.ndarray:
        """Gradient with respect to the weights, shape (R, columns, K)."""
        slopes = self.logit_gradient(point.probabilities_PCK).reshape(len(self.rows), -1)
        return (self.rows.T @ slopes).reshape(self.shape) + self.penalty * point.weights_RCK

    def diagonal_hessian(self, point: Point) -> np.ndarray:
        """Approximate the diagonal of the Hessian, shape (R, columns, K).

        The curvature p (1 − p) is averaged over participants: the Hessian of orthogonal columns is
        then diagonal, and costs no product with the rows.
        """
        p = point.probabilities_PCK
        mean = (self._weight * p * (1 - p)).mean(axis=0)
        tiny = np.finfo(self.rows.dtype).tiny  # a saturated column must not divide by zero
        return np.asarray(self._squared_norms * mean + self.penalty + tiny)

    def curvature_along(
        self, probabilities_PCK: np.ndarray, logit_direction_PCK: np.ndarray
    ) -> np.ndarray:
        """Second derivative of the log loss along a direction of the logits, shape (columns,)."""
        # For one logit this is p (1 − p) d², since the other class has logit 0.
        p, direction = probabilities_PCK, logit_direction_PCK
        mean = (p * direction).sum(axis=2, keepdims=True)
        squares = self._weight * (p * direction**2).sum(axis=2, keepdims=True)
        return np.asarray(squares.sum(axis=(0, 2)) - (self._weight * mean**2).sum(axis=(0, 2)))


def probabilities_of(logits_PCK: np.ndarray) -> np.ndarray:
    """Sigmoid of one logit, softmax of several."""
    return np.asarray(
        expit(logits_PCK) if logits_PCK.shape[2] == 1 else softmax(logits_PCK, axis=2)
    )
