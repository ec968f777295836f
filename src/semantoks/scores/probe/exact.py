"""The exact protocol: L2 logistic or ridge regression, its strength chosen in the training part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

from semantoks.config import Kind, Probe
from semantoks.errors import UserError
from semantoks.scores.linear_models import (
    Rotated,
    Targets,
    balanced_targets,
    best_offsets,
    fit_logistic,
    logits_of,
    of_every_class,
    ridge,
    ridge_over_folds,
    rotate,
    with_constant,
)

# Of the fits by which strengths are compared, see `fit_logistic`; the fit that predicts is exact.
ROUGH = 0.03


@dataclass(frozen=True)
class Truth:
    """What is to be predicted of the training people.

    Attributes
    ----------
    kind : {"classification", "regression"}
    values_P : ndarray
        Codes of classes (int, from 0) or numbers.
    classes : int
        Number of classes, 0 in a regression.
    fold_P : ndarray of int
        Inner fold of each person.
    """

    kind: Kind
    values_P: np.ndarray
    classes: int
    fold_P: np.ndarray


@dataclass(frozen=True)
class Fit:
    """Predictions of a fitted probe.

    Attributes
    ----------
    held_HK : ndarray
        Probabilities (held, classes), or numbers (held, 1).
    inner_PK : ndarray
        Logits (people, classes) or numbers (people, 1) of the training people, each from the folds
        that the person is not in.
    logits_HK : ndarray
        What `inner_PK` is, for the held-out people.
    strength : float
    """

    held_HK: np.ndarray
    inner_PK: np.ndarray
    logits_HK: np.ndarray
    strength: float


def inner_folds(
    kind: Kind, values_P: np.ndarray, groups_P: np.ndarray | None, folds: int
) -> np.ndarray:
    """Draw the inner folds: stratified by class, families together."""
    number = np.empty(len(values_P), int)
    strata = values_P if kind == "classification" else np.zeros(len(values_P), int)
    if groups_P is not None:
        folds = min(folds, len(np.unique(groups_P)))
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    else:
        kinds = {"classification": StratifiedKFold, "regression": KFold}
        splitter = kinds[kind](folds, shuffle=True, random_state=0)
    for index, (_, held) in enumerate(splitter.split(values_P, strata, groups_P)):
        number[held] = index
    return number


def check_folds(kind: Kind, values_P: np.ndarray, phenotype: str, folds: int) -> None:
    """Refuse a training part too small for its inner folds."""
    smallest = np.unique(values_P, return_counts=True)[1].min() if kind == "classification" else 0
    available = int(smallest) if kind == "classification" else len(values_P) // 2
    if kind == "regression" and np.ptp(values_P) == 0:
        raise UserError(
            f"Phenotype '{phenotype}': everybody in a training part has the same value. Too few "
            "people differ to predict it; take it out of the configuration."
        )
    if available < folds:
        raise UserError(
            f"Phenotype '{phenotype}': a training part has {available} people "
            f"{'in its smallest class' if kind == 'classification' else 'per two'}, "
            f"{folds} are needed for probe.inner_folds: {folds}. Lower it or add people."
        )


def fit(rotated: Rotated, truth: Truth, settings: Probe) -> Fit:
    """Choose the strength over the inner folds, fit, and predict the held-out people."""
    strengths = np.sort(np.asarray(settings.strengths, float))[::-1]
    if truth.kind == "regression":
        return _fit_ridge(rotated, truth, strengths)
    return fit_classes(rotated, [truth], strengths)[0]


def _fit_ridge(rotated: Rotated, truth: Truth, strengths: np.ndarray) -> Fit:
    """Regression on the standardised target."""
    mean, deviation = truth.values_P.mean(), truth.values_P.std() or 1.0
    target = ((truth.values_P - mean) / deviation)[:, None]
    inner = ridge_over_folds(rotated, target, strengths, truth.fold_P)
    losses = ((inner - target) ** 2).mean(axis=(1, 2))
    best = first_least(losses)
    held = ridge(rotated, target, strengths[[best]]) * deviation + mean
    return Fit(held, inner[best] * deviation + mean, held, float(strengths[best]))


def fit_classes(rotated: Rotated, truths: Sequence[Truth], strengths: np.ndarray) -> list[Fit]:
    """Fit classifications of the same people, with the same number of classes, at once.

    Parameters
    ----------
    rotated : Rotated
    truths : sequence of Truth
    strengths : ndarray
        From strong to weak: each fit begins where the stronger one ended.
    """
    code_PT = np.stack([truth.values_P for truth in truths], axis=1)
    fold_PT = np.stack([truth.fold_P for truth in truths], axis=1)
    classes = truths[0].classes
    inner_SPTK, weights_SRTK = _over_folds(rotated.train_PR, code_PT, fold_PT, classes, strengths)
    everybody = balanced_targets(code_PT, np.ones(code_PT.shape, bool), classes)
    offsets_STK = np.stack([best_offsets(inner, everybody) for inner in inner_SPTK])
    inner_SPTK, offsets_STK = of_every_class(inner_SPTK), of_every_class(offsets_STK)
    losses_TS = _losses(inner_SPTK + offsets_STK[:, None], everybody).T
    best_T = [first_least(losses_S) for losses_S in losses_TS]
    weights = fit_logistic(
        with_constant(rotated.train_PR),
        everybody,
        strengths[best_T] * len(code_PT),
        start=np.stack([weights_SRTK[best, :, task] for task, best in enumerate(best_T)], axis=1),
    )
    logits_HTK = of_every_class(logits_of(with_constant(rotated.held_HR), weights))
    return [
        Fit(
            np.asarray(softmax(logits_HTK[:, task] + offsets_STK[best, task], axis=1)),
            inner_SPTK[best, :, task],
            logits_HTK[:, task],
            float(strengths[best]),
        )
        for task, best in enumerate(best_T)
    ]


def _over_folds(
    train_PR: np.ndarray,
    code_PT: np.ndarray,
    fold_PT: np.ndarray,
    classes: int,
    strengths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit without each fold at every strength, in single precision.

    Returns
    -------
    logits : ndarray, shape (strengths, people, truths, K)
        Of each person, from the fit without them.
    weights : ndarray, shape (strengths, R, truths, K)
        Mean over folds.
    """
    rows = with_constant(train_PR.astype(np.float32))
    folds = int(fold_PT.max()) + 1
    outside = fold_PT[:, :, None] != np.arange(folds)
    outside_PC = outside.reshape(len(rows), -1)
    targets = balanced_targets(np.repeat(code_PT, folds, axis=1), outside_PC, classes)
    logits, means, weights = [], [], None
    for strength in strengths:
        penalty_C = strength * outside_PC.sum(axis=0)
        weights = fit_logistic(rows, targets, penalty_C, start=weights, tolerance=ROUGH)
        of_folds = logits_of(rows, weights).reshape(*outside.shape, -1)
        own = np.take_along_axis(of_folds, fold_PT[:, :, None, None], axis=2)[:, :, 0]
        logits.append(own.astype(float))
        means.append(weights.reshape(len(weights), -1, folds, own.shape[-1]).mean(axis=2))
    return np.stack(logits), np.stack(means)


def _losses(logits_SPTK: np.ndarray, targets: Targets) -> np.ndarray:
    """Weighted mean of the log loss, shape (strengths, truths)."""
    own = np.take_along_axis(logits_SPTK, targets.code_PC[None, :, :, None], axis=3)[..., 0]
    losses_SPT = logsumexp(logits_SPTK, axis=3) - own
    return np.asarray(np.einsum("spt,pt->st", losses_SPT, targets.weight_PC) / len(own[0]))


def first_least(losses: np.ndarray) -> int:
    """Place of the least loss; of losses that are equal but for rounding, the first (strongest)."""
    return int(np.flatnonzero(losses <= losses.min() * (1 + 1e-9) + 1e-12)[0])


def fit_together(parts: Sequence[Rotated], truth: Truth, settings: Probe) -> Fit:
    """Fit a representation; several are stacked: a probe on what each predicts of unseen folds."""
    fits = [fit(part, truth, settings) for part in parts]
    if len(fits) == 1:
        return fits[0]
    first = 1 if truth.classes == 2 else 0  # with two classes the first logit is always zero
    inner = np.hstack([one.inner_PK[:, first:] for one in fits])
    held = np.hstack([one.logits_HK[:, first:] for one in fits])
    return fit(rotate(inner, held), truth, settings)
