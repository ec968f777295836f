"""L2 logistic regressions of the same people, many of them at once.

Inner folds and phenotypes are columns of one matrix, so that a step of all of them is two matrix
products: conjugate gradients, scaled by the curvature of each axis. On the principal axes of the
people that is nearly the whole curvature, and a few steps do what Newton's method needs a
factorisation per step and column for.

Legend: P people, R axes and the constant, C columns (regressions), K logits of a regression: one
if there are two classes, else one per class.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, softmax

EXACT = 1e-7
MAX_STEPS = 2000
STRAIGHT = 0.1  # slope that may be left along a direction, of that at its beginning

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Targets:
    """Classes that people are told apart by, one column per regression.

    Attributes
    ----------
    code_PC : ndarray of int
        Classes, from 0.
    weight_PC : ndarray
        Weights of people, 0 for those whom a regression leaves out.
    classes : int
        Their number, the same for all columns.
    """

    code_PC: np.ndarray
    weight_PC: np.ndarray
    classes: int

    @property
    def logits(self) -> int:
        """Number of logits per regression."""
        return 1 if self.classes == 2 else self.classes


def balanced_targets(code_PC: np.ndarray, kept_PC: np.ndarray, classes: int) -> Targets:
    """Weigh the people kept so that every class counts the same and their mean weight is one."""
    weight_PC = np.zeros(code_PC.shape)
    present = np.stack([(kept_PC & (code_PC == k)).sum(axis=0) for k in range(classes)])
    for k, count_C in enumerate(present):
        each_C = kept_PC.sum(axis=0) / ((present > 0).sum(axis=0) * np.maximum(count_C, 1))
        weight_PC += np.where(kept_PC & (code_PC == k), each_C, 0)
    return Targets(code_PC, weight_PC, classes)


def with_constant(rows: np.ndarray) -> np.ndarray:
    """Append the constant, whose weight is the intercept and has no penalty."""
    return np.c_[rows, np.ones(len(rows), rows.dtype)]


def logits_of(rows_PR: np.ndarray, weights_RCK: np.ndarray) -> np.ndarray:
    """Logits (people, columns, K)."""
    flat = weights_RCK.reshape(len(weights_RCK), -1)
    return np.asarray(rows_PR @ flat).reshape(len(rows_PR), *weights_RCK.shape[1:])


def of_every_class(logits: np.ndarray) -> np.ndarray:
    """Logits with one entry per class; of two classes the first has zero."""
    if logits.shape[-1] > 1:
        return logits
    return np.concatenate([np.zeros_like(logits), logits], axis=-1)


def fit_logistic(
    rows_PR: np.ndarray,
    targets: Targets,
    penalty_C: np.ndarray,
    *,
    start: np.ndarray | None = None,
    base: np.ndarray | float = 0.0,
    tolerance: float = EXACT,
) -> np.ndarray:
    """Fit every column, in the precision of the rows.

    Minimises the weighted sum of the log loss plus half the penalty times the squared norm of the
    weights: with `balanced_targets` that is scikit-learn's
    ``LogisticRegression(C=1 / penalty, class_weight="balanced")``.

    Parameters
    ----------
    rows_PR : ndarray
        Rows on principal axes, and the constant last; see `with_constant`.
    targets : Targets
    penalty_C : ndarray
        One per column.
    start : ndarray, shape (R, columns, K), optional
        Where to begin, zero by default.
    base : ndarray, shape (people, columns, K), optional
        Logits to which those of the rows are added.
    tolerance : float
        The gradient's size at a solution, measured by the inverse curvature: the loss, summed over
        people, is then about half its square from the least one.

    Returns
    -------
    ndarray, shape (R, columns, K)
    """
    return _Descent(rows_PR, targets, penalty_C, base).run(start, tolerance)


def best_offsets(logits_PCK: np.ndarray, targets: Targets) -> np.ndarray:
    """Fit one number per class to be added to logits, so that the log loss is least.

    Where features outnumber people, weights lean on the very people they are fitted to, most of all
    on those of a small class, and the intercept makes up for that: it is wrong for everybody else.
    Fitted to logits of people whom the weights have not seen, the offsets mend it.

    Returns
    -------
    ndarray, shape (columns, K)
    """
    # Start where the classes' means are even: logits may be tiny, and all on one side.
    means = [_mean_of(logits_PCK, targets.code_PC == k) for k in range(targets.classes)]
    middle = np.mean(means, axis=0)
    offsets = fit_logistic(
        np.ones((len(logits_PCK), 1)),
        targets,
        np.zeros(logits_PCK.shape[1]),
        base=logits_PCK - middle,
    )
    return np.asarray(offsets[0] - middle)


def _mean_of(logits_PCK: np.ndarray, inside_PC: np.ndarray) -> np.ndarray:
    return np.asarray(
        np.einsum("pck,pc->ck", logits_PCK, inside_PC)
        / np.maximum(inside_PC.sum(axis=0), 1)[:, None]
    )


@dataclass(frozen=True)
class _Point:
    """Where a descent is: weights, their logits and probabilities."""

    weights_RCK: np.ndarray
    logits_PCK: np.ndarray
    chance_PCK: np.ndarray


class _Descent:
    def __init__(
        self, rows: np.ndarray, targets: Targets, penalty_C: np.ndarray, base: np.ndarray | float
    ) -> None:
        kind, count = rows.dtype, targets.logits
        code = targets.code_PC[:, :, None]
        self.rows, self.base = rows, np.asarray(base, kind)
        self.squares = np.einsum("pr,pr->r", rows, rows)[:, None, None]
        self.weight = targets.weight_PC[:, :, None].astype(kind)
        self.truth = (code == (1 if count == 1 else np.arange(count))).astype(kind)
        self.penalty = np.tile(np.asarray(penalty_C, kind), (len(self.squares), 1))[:, :, None]
        self.penalty[-1] = 0
        self.shape = (rows.shape[1], targets.code_PC.shape[1], count)

    def run(self, start: np.ndarray | None, tolerance: float) -> np.ndarray:
        """Descend until every column's gradient is smaller than `tolerance`."""
        weights = np.zeros(self.shape) if start is None else start
        point = self._at(weights.astype(self.rows.dtype))
        before: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        for _ in range(MAX_STEPS):
            gradient = self._gradient(point)
            scaled = gradient / self._curvature(point)
            size_C = _inner(gradient, scaled)
            if size_C.max(initial=0) < tolerance**2:
                return point.weights_RCK
            direction = -scaled
            if before is not None:
                past, size, way = before
                turn_C = np.maximum(_inner(scaled, gradient - past) / np.maximum(size, 1e-30), 0)
                both = direction + turn_C[:, None] * way
                downhill = _inner(gradient, both) < 0
                direction = np.where(downhill[:, None], both, direction)
            direction = np.where((size_C < tolerance**2)[:, None], 0, direction)
            before = gradient, size_C, direction
            point = self._along(point, gradient, direction)
        log.warning("A logistic regression was stopped after %d steps", MAX_STEPS)
        return point.weights_RCK

    def _at(self, weights: np.ndarray) -> _Point:
        logits = logits_of(self.rows, weights) + self.base
        return _Point(weights, logits, _chances(logits))

    def _slopes(self, chance: np.ndarray) -> np.ndarray:
        return np.asarray(self.weight * (chance - self.truth))

    def _gradient(self, point: _Point) -> np.ndarray:
        slopes = self._slopes(point.chance_PCK).reshape(len(self.rows), -1)
        return (self.rows.T @ slopes).reshape(self.shape) + self.penalty * point.weights_RCK

    def _curvature(self, point: _Point) -> np.ndarray:
        """Curvature along each axis, as if it were the same for all people."""
        mean = (self.weight * point.chance_PCK * (1 - point.chance_PCK)).mean(axis=0)
        tiny = np.finfo(self.rows.dtype).tiny
        return np.asarray(self.squares * mean + self.penalty + tiny)

    def _along(self, point: _Point, gradient: np.ndarray, direction: np.ndarray) -> _Point:
        """Go to where the loss is least in a direction, found by Newton's method between bounds."""
        way = logits_of(self.rows, direction)
        first_C = _inner(gradient, direction)
        pull_C = _inner(self.penalty * point.weights_RCK, direction)
        bend_C = _inner(self.penalty * direction, direction)
        low, high = np.zeros_like(first_C), np.full_like(first_C, np.inf)
        step, slope, chance = low, first_C, point.chance_PCK
        for _ in range(30):
            mean = (chance * way).sum(axis=2, keepdims=True)
            curves = (self.weight * (chance * way**2).sum(axis=2, keepdims=True)).sum(axis=(0, 2))
            curve = curves - (self.weight * mean**2).sum(axis=(0, 2)) + bend_C
            aim = step - slope / np.maximum(curve, 1e-30)
            between = np.where(np.isinf(high), 2 * step + 1, (low + high) / 2)
            step = np.where((aim > low) & (aim < high), aim, between)
            chance = _chances(point.logits_PCK + step[:, None] * way)
            slope = (self._slopes(chance) * way).sum(axis=(0, 2)) + pull_C + step * bend_C
            low, high = np.where(slope < 0, step, low), np.where(slope < 0, high, step)
            if (np.abs(slope) <= STRAIGHT * np.abs(first_C)).all():
                break
        return replace(
            point,
            weights_RCK=point.weights_RCK + step[:, None] * direction,
            logits_PCK=point.logits_PCK + step[:, None] * way,
            chance_PCK=chance,
        )


def _chances(logits: np.ndarray) -> np.ndarray:
    return np.asarray(expit(logits) if logits.shape[2] == 1 else softmax(logits, axis=2))


def _inner(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Inner product of each column, shape (columns,)."""
    return np.asarray(np.einsum("rck,rck->c", left, right))
