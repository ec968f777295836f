"""The exact protocol: L2 logistic or ridge regression, its strength chosen in the training part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

from semantoks.config import Kind, Probe
from semantoks.errors import UserError
from semantoks.linear_models import (
    Rotated,
    best_offsets,
    kernel_of,
    logistic_path,
    ridge,
    ridge_over_folds,
    rotate,
)
from semantoks.statistics import balanced_log_loss

# Largest gradient per person while strengths are compared; the fit that predicts is exact.
ROUGH = 1e-4


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
    return _fit_logistic(rotated, truth, strengths)


def _fit_ridge(rotated: Rotated, truth: Truth, strengths: np.ndarray) -> Fit:
    """Regression on the standardised target."""
    mean, deviation = truth.values_P.mean(), truth.values_P.std() or 1.0
    target = ((truth.values_P - mean) / deviation)[:, None]
    inner = ridge_over_folds(rotated, target, strengths, truth.fold_P)
    losses = ((inner - target) ** 2).mean(axis=(1, 2))
    best = first_least(losses)
    held = ridge(rotated, target, strengths[[best]]) * deviation + mean
    return Fit(held, inner[best] * deviation + mean, held, float(strengths[best]))


def _fit_logistic(rotated: Rotated, truth: Truth, strengths: np.ndarray) -> Fit:
    rows, codes, classes = rotated.train_PR, truth.values_P, truth.classes
    kernel = kernel_of(rows) if classes == 2 else None
    inner = np.empty((len(strengths), len(codes), classes))
    losses = np.zeros(len(strengths))
    for fold in np.unique(truth.fold_P):
        outside, inside = truth.fold_P != fold, truth.fold_P == fold
        models = logistic_path(
            rows[outside],
            codes[outside],
            classes,
            strengths * outside.sum(),
            kernel=None if kernel is None else kernel[np.ix_(outside, outside)],
            tolerance=ROUGH,
        )
        for index, model in enumerate(models):
            inner[index, inside] = model.logits(rows[inside])
    offsets = [best_offsets(logits, codes) for logits in inner]
    for index, (logits, offset) in enumerate(zip(inner, offsets, strict=True)):
        losses[index] = balanced_log_loss(codes, softmax(logits + offset, axis=1))
    best = first_least(losses)
    penalty = strengths[best : best + 1] * len(codes)
    (model,) = logistic_path(rows, codes, classes, penalty, kernel=kernel)
    logits = model.logits(rotated.held_HR)
    probabilities = np.asarray(softmax(logits + offsets[best], axis=1))
    return Fit(probabilities, inner[best], logits, float(strengths[best]))


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
