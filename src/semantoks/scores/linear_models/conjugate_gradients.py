"""Preconditioned Polak-Ribière conjugate gradients for many logistic regressions at once.

On principal axes a diagonal preconditioner is close to the inverse Hessian, so a few iterations of
two matrix products each do what Newton's method needs a factorisation per regression and iteration
for.

Source: Nocedal & Wright, Numerical Optimization, 2006, chapter 5, doi:10.1007/978-0-387-40065-5.

Legend: P participants, R principal axes and the intercept, C columns (regressions), K logits.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from semantoks.scores.linear_models.logistic_loss import (
    LogisticLoss,
    Point,
    logits_of,
    probabilities_of,
)

MAX_ITERATIONS = 2000
MAX_LINE_SEARCH_STEPS = 30
SLOPE_REDUCTION = 0.1  # the line search stops at 10 % of the initial slope
TINY = 1e-30  # keeps divisions finite in columns that have converged

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Iteration:
    """What the Polak-Ribière update takes from the previous iteration."""

    gradient_RCK: np.ndarray
    norm_C: np.ndarray
    direction_RCK: np.ndarray


def minimise(loss: LogisticLoss, start_RCK: np.ndarray | None, tolerance: float) -> np.ndarray:
    """Minimise the loss of all columns.

    Parameters
    ----------
    loss : LogisticLoss
    start_RCK : ndarray, optional
        Initial weights, zero by default.
    tolerance : float
        A column has converged when its preconditioned gradient norm is smaller.

    Returns
    -------
    ndarray, shape (R, columns, K)
    """
    start = np.zeros(loss.shape) if start_RCK is None else start_RCK
    point = loss.at(start.astype(loss.rows.dtype))
    previous: _Iteration | None = None
    for _ in range(MAX_ITERATIONS):
        gradient = loss.gradient(point)
        preconditioned = gradient / loss.diagonal_hessian(point)
        norm_C = _inner(gradient, preconditioned)
        # The squared norm g · H⁻¹g is about twice what the loss can still fall.
        if norm_C.max(initial=0) < tolerance**2:
            return point.weights_RCK
        direction = _conjugate_direction(gradient, preconditioned, previous)
        # Columns that have converged stay put while the others go on.
        direction = np.where((norm_C < tolerance**2)[:, None], 0, direction)
        previous = _Iteration(gradient, norm_C, direction)
        point = _line_search(loss, point, gradient, direction)
    log.warning("A logistic regression did not converge within %d iterations", MAX_ITERATIONS)
    return point.weights_RCK


def _conjugate_direction(
    gradient: np.ndarray, preconditioned: np.ndarray, previous: _Iteration | None
) -> np.ndarray:
    """Update the search direction by Polak and Ribière's formula.

    A negative coefficient counts as zero, and a direction that does not descend is replaced by
    steepest descent: both restart the method where the loss is far from quadratic.
    """
    descent = -preconditioned
    if previous is None:
        return descent
    change = _inner(preconditioned, gradient - previous.gradient_RCK)
    beta_C = np.maximum(change / np.maximum(previous.norm_C, TINY), 0)
    conjugate = descent + beta_C[:, None] * previous.direction_RCK
    descends = _inner(gradient, conjugate) < 0
    return np.where(descends[:, None], conjugate, descent)


def _line_search(
    loss: LogisticLoss, point: Point, gradient: np.ndarray, direction: np.ndarray
) -> Point:
    """Find the minimum along a direction by Newton's method, safeguarded by bisection.

    All columns step together. Each has a bracket of its minimum; a Newton step that leaves the
    bracket is replaced by its middle, or by doubling while it has no upper end.
    """
    logit_direction = logits_of(loss.rows, direction)
    initial_slope_C = _inner(gradient, direction)
    penalty_slope_C = _inner(loss.penalty * point.weights_RCK, direction)
    penalty_curvature_C = _inner(loss.penalty * direction, direction)
    low, high = np.zeros_like(initial_slope_C), np.full_like(initial_slope_C, np.inf)
    step, slope, probabilities = low, initial_slope_C, point.probabilities_PCK
    for _ in range(MAX_LINE_SEARCH_STEPS):
        curvature = loss.curvature_along(probabilities, logit_direction) + penalty_curvature_C
        newton = step - slope / np.maximum(curvature, TINY)
        fallback = np.where(np.isinf(high), 2 * step + 1, (low + high) / 2)
        step = np.where((newton > low) & (newton < high), newton, fallback)
        # Logits are linear in the step, so no step needs a product with the rows.
        probabilities = probabilities_of(point.logits_PCK + step[:, None] * logit_direction)
        slope = (loss.logit_gradient(probabilities) * logit_direction).sum(axis=(0, 2))
        slope = slope + penalty_slope_C + step * penalty_curvature_C
        low, high = np.where(slope < 0, step, low), np.where(slope < 0, high, step)
        # Columns that have converged have slope 0 and never prolong the search.
        if (np.abs(slope) <= SLOPE_REDUCTION * np.abs(initial_slope_C)).all():
            break
    return Point(
        point.weights_RCK + step[:, None] * direction,
        point.logits_PCK + step[:, None] * logit_direction,
        probabilities,
    )


def _inner(left_RCK: np.ndarray, right_RCK: np.ndarray) -> np.ndarray:
    """Inner product of each column, shape (columns,)."""
    return np.asarray(np.einsum("rck,rck->c", left_RCK, right_RCK))
