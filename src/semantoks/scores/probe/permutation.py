"""Does a representation say anything at all? A permutation test over the same splits.

The phenotype is shuffled among the people who take part, and everything is done again: for that,
classes are codes and the probe is ridge regression, because one decomposition of a split then
serves all permutations at once, the choice of the strength included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from semantoks.config import Probe
from semantoks.scores.linear_models import Rotated, ridge, ridge_over_folds
from semantoks.scores.split.draw import TEST

ENOUGH = 99  # shuffles for a standard deviation


@dataclass(frozen=True)
class Shuffled:
    """What shuffled phenotypes tell.

    Attributes
    ----------
    p : float
        (1 + shuffles at least as good) / (1 + shuffles); the score is the mean over splits of the
        AUROC (one versus rest), or of Pearson's r.
    deviation : float or None
        Standard deviation of that mean over shuffles; None with too few of them to say.
    """

    p: float
    deviation: float | None


class Permutations:
    """Shuffled phenotypes, scored split by split, so that no split need be kept.

    Parameters
    ----------
    target_P : ndarray
        Codes of classes, or numbers, of everybody.
    classes : int
        0 in a regression.
    settings : Probe
    """

    def __init__(self, target_P: np.ndarray, classes: int, settings: Probe) -> None:
        rng = np.random.default_rng(0)
        orders = [np.arange(len(target_P))]
        orders += [rng.permutation(len(target_P)) for _ in range(settings.permutations)]
        self._shuffled_PM = target_P[np.stack(orders, axis=1)]
        self._classes, self._settings = classes, settings
        self._scores = list[np.ndarray]()

    def add(self, rotated: Rotated, part: np.ndarray, fold: np.ndarray) -> None:
        """Score a random split: rotated features, parts of the people, inner folds."""
        used = (part != TEST) & (part >= 0)
        train_PM, held_HM = self._shuffled_PM[used], self._shuffled_PM[part == TEST]
        self._scores.append(_score(rotated, train_PM, held_HM, self._classes, fold, self._settings))

    def result(self) -> Shuffled | None:
        """Compare the phenotype with its shuffles; None without any or without splits."""
        shuffles = self._shuffled_PM.shape[1] - 1
        if not shuffles or not self._scores:
            return None
        means_M = np.mean(self._scores, axis=0)
        # Scores that differ by rounding are equal.
        p = float((means_M[1:] >= means_M[0] - 1e-9).sum() + 1) / (1 + shuffles)
        return Shuffled(p, float(means_M[1:].std()) if shuffles >= ENOUGH else None)


def _score(
    rotated: Rotated,
    train_PM: np.ndarray,
    held_HM: np.ndarray,
    classes: int,
    fold: np.ndarray,
    settings: Probe,
) -> np.ndarray:
    """Score all shuffles on one split, shape (shuffles,)."""
    if not classes:
        return pearson(_predict(rotated, train_PM, fold, settings), held_HM)
    scores = np.zeros(train_PM.shape[1])
    for code in range(classes if classes > 2 else 1):
        # Two classes: the last one against the first.
        wanted = code if classes > 2 else 1
        predicted = _predict(rotated, (train_PM == wanted).astype(float), fold, settings)
        scores += auroc(predicted, held_HM == wanted)
    return scores / (classes if classes > 2 else 1)


def _predict(
    rotated: Rotated, target_PM: np.ndarray, fold: np.ndarray, settings: Probe
) -> np.ndarray:
    strengths = np.sort(np.asarray(settings.strengths, float))[::-1]
    inner = ridge_over_folds(rotated, target_PM, strengths, fold)
    losses_SM = ((inner - target_PM) ** 2).sum(axis=1)
    return ridge(rotated, target_PM, strengths[losses_SM.argmin(axis=0)])


def pearson(predicted_HM: np.ndarray, truth_HM: np.ndarray) -> np.ndarray:
    """Correlate column by column; 0 where one is constant."""
    predicted = predicted_HM - predicted_HM.mean(axis=0)
    truth = truth_HM - truth_HM.mean(axis=0)
    norm = np.linalg.norm(predicted, axis=0) * np.linalg.norm(truth, axis=0)
    return np.where(norm > 1e-12, (predicted * truth).sum(axis=0) / np.maximum(norm, 1e-12), 0.0)


def auroc(predicted_HM: np.ndarray, positive_HM: np.ndarray) -> np.ndarray:
    """Area under the ROC curve column by column; ½ where a class is missing."""
    ranks = rankdata(predicted_HM, axis=0)
    positives = positive_HM.sum(axis=0)
    negatives = len(positive_HM) - positives
    above = (ranks * positive_HM).sum(axis=0) - positives * (positives + 1) / 2
    pairs = positives * negatives
    return np.where(pairs > 0, above / np.maximum(pairs, 1), 0.5)
