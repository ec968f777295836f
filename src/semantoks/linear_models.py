"""Exact L2 linear models: one decomposition for all strengths, classes, phenotypes and folds.

L2 solutions lie in the span of the training rows. So people are rotated once onto the principal
axes of the training part (by the kernel matrix when features outnumber people), and everything
else happens there: ridge regression is a division by each axis, logistic regression is Newton's
method on whichever is smaller, the axes or the people.

Legend: P people, H held-out people, F features, R axes, T targets, K classes, S strengths.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

CONSTANT = 1e-9  # a feature that varies less is constant
EXACT = 1e-9  # largest gradient at a solution, per person
MAX_STEPS = 100
DUAL_ABOVE = 0.55  # axes per person from which a Newton step over people is the cheaper one


@dataclass(frozen=True)
class Rotated:
    """People in the coordinates of the training part's principal axes.

    Attributes
    ----------
    train_PR, held_HR : ndarray
        Rows of both parts; those of the training part have mean zero.
    values_R : ndarray
        Singular values: norms of the columns of `train_PR`, which are orthogonal.
    """

    train_PR: np.ndarray
    held_HR: np.ndarray
    values_R: np.ndarray


def standardise(train_PF: np.ndarray, held_HF: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale by the training part; unknown values count as its mean, constants as zero.

    Rows of the training part get a mean squared norm of one (if no feature is constant), which
    makes strengths comparable over representations.
    """
    known = np.isfinite(train_PF)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, train_PF, 0).sum(axis=0) / count
    train = np.where(known, train_PF - mean, 0)
    deviation = np.sqrt(np.einsum("pf,pf->f", train, train) / count)
    scale = np.where(deviation > CONSTANT, deviation, np.inf) * np.sqrt(max(train.shape[1], 1))
    held = np.where(np.isfinite(held_HF), held_HF - mean, 0)
    return train / scale, held / scale


def rotate(train_PF: np.ndarray, held_HF: np.ndarray) -> Rotated:
    """Standardise two parts by the first, and rotate both onto its principal axes."""
    train, held = standardise(train_PF, held_HF)
    many = train.shape[1] > len(train)
    squares, vectors = np.linalg.eigh(train @ train.T if many else train.T @ train)
    kept = squares > 1e-12 * max(squares.max(initial=0.0), CONSTANT)
    values, vectors = np.sqrt(squares[kept])[::-1], vectors[:, kept][:, ::-1]
    if many:
        return Rotated(vectors * values, held @ (train.T @ (vectors / values)), values)
    return Rotated(train @ vectors, held @ vectors, values)


# Ridge regression


def ridge(rotated: Rotated, target_PT: np.ndarray, strength_T: np.ndarray) -> np.ndarray:
    """Predict the held-out people, shape (held, targets), with a strength for each target."""
    mean = target_PT.mean(axis=0)
    penalty_T = strength_T * len(target_PT)
    along_RT = rotated.train_PR.T @ (target_PT - mean)
    predicted: np.ndarray = mean + rotated.held_HR @ (
        along_RT / (rotated.values_R[:, None] ** 2 + penalty_T)
    )
    return predicted


def ridge_over_folds(
    rotated: Rotated, target_PT: np.ndarray, strengths: np.ndarray, fold_P: np.ndarray
) -> np.ndarray:
    """Predict each training person from the other folds, at each strength.

    Leaving a fold out of a ridge regression is linear algebra on its own people, so nothing is
    fitted again.

    Returns
    -------
    ndarray, shape (strengths, people, targets)
    """
    people = len(target_PT)
    basis = rotated.train_PR / np.where(rotated.values_R > 0, rotated.values_R, 1)
    mean = target_PT.mean(axis=0)
    along_RT = basis.T @ (target_PT - mean)
    predicted = np.empty((len(strengths), *target_PT.shape))
    for index, strength in enumerate(strengths):
        squares = rotated.values_R**2
        kept_R = squares / (squares + strength * people)
        residual = target_PT - mean - basis @ (kept_R[:, None] * along_RT)
        for fold in np.unique(fold_P):
            inside = fold_P == fold
            hat = (basis[inside] * kept_R) @ basis[inside].T + 1 / people
            left = np.linalg.solve(np.eye(len(hat)) - hat, residual[inside])
            predicted[index, inside] = target_PT[inside] - left
    return predicted


# Logistic regression


@dataclass(frozen=True)
class Logistic:
    """Weights of the axes (R, K) and intercepts (K,) of a fit; one column for two classes."""

    weights_RK: np.ndarray
    intercept_K: np.ndarray

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """Logits (people, classes) of rotated rows; with two classes the first has zero."""
        logits = rows @ self.weights_RK + self.intercept_K
        return np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits


def best_offsets(logits_PK: np.ndarray, code_P: np.ndarray) -> np.ndarray:
    """Fit one number per class to be added to logits, so that the balanced log loss is least.

    Where features outnumber people, weights lean on the very people they are fitted to, most of all
    on those of a small class, and the intercept makes up for that: it is wrong for everybody else.
    Fitted to logits of people whom the weights have not seen, the offsets mend it.
    """
    weight_P = balanced_weights(code_P, logits_PK.shape[1])
    truth = np.eye(logits_PK.shape[1])[code_P]

    def objective(offsets: np.ndarray) -> tuple[float, np.ndarray]:
        log_p = log_softmax(logits_PK + offsets, axis=1)
        slope = weight_P @ (np.exp(log_p) - truth)
        return -float(weight_P @ (log_p * truth).sum(axis=1)) / len(code_P), slope / len(code_P)

    # Start where the classes' means are even: logits may be tiny, and all on one side.
    begun = -np.mean([logits_PK[code_P == k].mean(axis=0) for k in np.unique(code_P)], axis=0)
    found = minimize(objective, begun, jac=True, method="BFGS", options={"gtol": 1e-9})
    offsets: np.ndarray = found.x - found.x[0]
    return offsets


def balanced_weights(code_P: np.ndarray, classes: int) -> np.ndarray:
    """Weigh people so that every class counts the same and the mean weight is one."""
    counts = np.bincount(code_P, minlength=classes)
    return np.asarray(len(code_P) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[code_P]


def logistic_path(
    train_PR: np.ndarray,
    code_P: np.ndarray,
    classes: int,
    penalties: np.ndarray,
    *,
    kernel: np.ndarray | None = None,
    tolerance: float = EXACT,
) -> list[Logistic]:
    """Fit at every penalty, each from where the one before ended.

    Minimises the sum over people of the log loss with balanced classes plus half the penalty times
    the squared norm of the weights: scikit-learn's ``LogisticRegression(C=1 / penalty,
    class_weight="balanced")``.

    Parameters
    ----------
    train_PR : ndarray, shape (people, axes)
    code_P : ndarray of int
        Classes, 0 to `classes` - 1.
    classes : int
    penalties : ndarray
        Best in falling order.
    kernel : ndarray of float32, shape (people, people), optional
        `kernel_of` the rows, if it is known.
    tolerance : float
        Largest gradient at a solution, per person.
    """
    weight_P = balanced_weights(code_P, classes)
    if classes == 2:
        kernel = kernel_of(train_PR) if kernel is None else kernel
        fit = _TwoClasses(train_PR, kernel, code_P, weight_P)
        return [fit.at(float(penalty), tolerance * len(train_PR)) for penalty in penalties]
    model = Logistic(np.zeros((train_PR.shape[1], classes)), np.zeros(classes))
    models = []
    for penalty in penalties:
        model = _multinomial(train_PR, code_P, weight_P, float(penalty), model)
        models.append(model)
    return models


def kernel_of(rows: np.ndarray) -> np.ndarray | None:
    """Inner products of people, where steps over people are cheaper than over axes; else None.

    In float32: it only steers the steps, gradients are of the rows.
    """
    if rows.shape[1] <= DUAL_ABOVE * len(rows):
        return None
    narrow = rows.astype(np.float32)
    kernel: np.ndarray = narrow @ narrow.T
    return kernel


class _TwoClasses:
    """Newton's method with step halving, going on from the penalty before.

    The weights are ``rows.T @ dual``; over people it is `dual` that is solved for.
    """

    def __init__(
        self, rows: np.ndarray, kernel: np.ndarray | None, code_P: np.ndarray, weight_P: np.ndarray
    ) -> None:
        self.rows, self.kernel, self.code_P, self.weight_P = rows, kernel, code_P, weight_P
        self.sign = np.where(code_P == 1, -1.0, 1.0)
        self.w, self.b, self.dual = np.zeros(rows.shape[1]), 0.0, np.zeros(len(rows))

    def at(self, penalty: float, tolerance: float) -> Logistic:
        """Fit at a penalty, until no gradient is larger than `tolerance`."""
        logit = self.rows @ self.w + self.b
        loss = self._loss(logit, self.w, penalty)
        for _ in range(MAX_STEPS):
            probability = expit(logit)
            slope = self.weight_P * (probability - self.code_P)
            gradient = self.rows.T @ slope + penalty * self.w
            if max(np.abs(gradient).max(initial=0), abs(slope.sum())) < tolerance:
                break
            curve = np.sqrt(self.weight_P * np.maximum(probability * (1 - probability), 1e-12))
            move_w, move_b, move_dual = self._direction(curve, slope, gradient, penalty)
            along, step = self.rows @ move_w + move_b, 1.0
            moved = self._loss(logit + along, self.w + move_w, penalty)
            while moved > loss + 1e-12 * abs(loss) and step > 1e-6:
                step /= 2
                moved = self._loss(logit + step * along, self.w + step * move_w, penalty)
            self.w, self.b = self.w + step * move_w, self.b + step * move_b
            self.dual, logit, loss = self.dual + step * move_dual, logit + step * along, moved
        return Logistic(self.w[:, None], np.array([self.b]))

    def _direction(
        self, curve: np.ndarray, slope: np.ndarray, gradient: np.ndarray, penalty: float
    ) -> tuple[np.ndarray, float, np.ndarray]:
        """Newton's step for weights, intercept and dual; `curve` is the root of the curvature."""
        if self.kernel is not None:
            rest = slope + penalty * self.dual  # zero at the solution
            aims = np.c_[curve, -rest / curve]
            ones, aimed = _solve_over_people(self.kernel, curve, aims, penalty).T
            move_b = float((curve @ aimed + self.dual.sum()) / (curve @ ones))
            move_dual = curve * (aimed - move_b * ones)
            return self.rows.T @ move_dual, move_b, move_dual
        scaled = np.c_[self.rows, np.ones(len(self.rows))] * curve[:, None]
        hessian = scaled.T @ scaled
        axes = np.arange(len(gradient))
        hessian[axes, axes] += penalty
        factor = cho_factor(hessian, lower=True, overwrite_a=True, check_finite=False)
        solution = -cho_solve(factor, np.r_[gradient, slope.sum()], check_finite=False)
        return solution[:-1], float(solution[-1]), np.zeros_like(self.dual)

    def _loss(self, logit: np.ndarray, w: np.ndarray, penalty: float) -> float:
        losses = np.logaddexp(0, self.sign * logit)
        return float(self.weight_P @ losses) + penalty / 2 * float(w @ w)


def _solve_over_people(
    kernel: np.ndarray, curve: np.ndarray, aims: np.ndarray, penalty: float
) -> np.ndarray:
    """Solve with the scaled kernel plus the penalty; in double precision where single fails."""
    for precision in (np.float32, np.float64):
        inner = kernel * curve.astype(precision)[:, None]
        inner *= curve.astype(precision)
        inner.flat[:: len(inner) + 1] += precision(penalty)
        try:
            factor = cho_factor(inner, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        return np.asarray(cho_solve(factor, aims.astype(precision), check_finite=False), float)
    raise np.linalg.LinAlgError("a kernel matrix is not positive definite")


def _multinomial(
    rows: np.ndarray, code_P: np.ndarray, weight_P: np.ndarray, penalty: float, start: Logistic
) -> Logistic:
    """Fit three or more classes by L-BFGS, each axis scaled by its curvature."""
    people, classes = len(rows), start.weights_RK.shape[1]
    truth = np.eye(classes)[code_P]
    scale = 1 / np.sqrt((rows**2).sum(axis=0) / (2 * classes) + penalty)
    scale = np.r_[scale, 1 / np.sqrt(people / (2 * classes))][:, None]
    extended = np.c_[rows, np.ones(people)]
    ridge_part = np.r_[np.full(rows.shape[1], penalty), 0][:, None]

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(-1, classes) * scale
        log_p = log_softmax(extended @ weights, axis=1)
        slope = extended.T @ (weight_P[:, None] * (np.exp(log_p) - truth)) + ridge_part * weights
        loss = -float(weight_P @ (log_p * truth).sum(axis=1))
        return loss + float((ridge_part * weights**2).sum()) / 2, (slope * scale).ravel()

    begun = np.vstack([start.weights_RK, start.intercept_K]) / scale
    options = {"maxiter": 5000, "gtol": 1e-7, "ftol": 0.0, "maxcor": 20}
    found = minimize(objective, begun.ravel(), jac=True, method="L-BFGS-B", options=options)
    weights = found.x.reshape(-1, classes) * scale
    return Logistic(weights[:-1], weights[-1] - weights[-1].mean())
