"""A permutation test of whether a representation predicts a phenotype better than chance.

The phenotype is shuffled among the participants, and the whole procedure is repeated for each
shuffle, the choice of the strength included. Here classifications, too, are scored by ridge
regression on class indicators: one decomposition per split then serves all permutations at once.

Legend: P training participants, H test participants, M permutations, the first of them the
phenotype as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from semantoks.config import Probe
from semantoks.scores.linear_models.axes import PrincipalCoordinates
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from semantoks.scores.probe.problem import Partition
from semantoks.scores.probe.targets import ClassificationTargets, Targets

MIN_SHUFFLES_FOR_DEVIATION = 99


@dataclass(frozen=True)
class PermutationTest:
    """Result of a permutation test.

    Attributes
    ----------
    p : float
        (1 + shuffles that score at least as high) / (1 + shuffles); the score is the mean over
        splits of the AUROC (one versus rest) or of Pearson's r.
    deviation : float or None
        Standard deviation of that mean over shuffles; None with too few shuffles to estimate it.
    """

    p: float
    deviation: float | None


class Permutations:
    """Scores of shuffled phenotypes, collected split by split.

    Parameters
    ----------
    targets : Targets
        Of all participants.
    settings : Probe
    """

    def __init__(self, targets: Targets, settings: Probe) -> None:
        # With a fixed seed, all representations are tested on the same shuffles.
        rng = np.random.default_rng(0)
        orders = [np.arange(len(targets))]
        orders += [rng.permutation(len(targets)) for _ in range(settings.permutations)]
        self._classes: int | None = None
        if isinstance(targets, ClassificationTargets):
            values_P, self._classes = targets.codes_P, len(targets.class_names)
        else:
            values_P = targets.values_P
        self._shuffled_PM = values_P[np.stack(orders, axis=1)]
        self._strengths = np.sort(np.asarray(settings.strengths, float))[::-1]
        self._scores = list[np.ndarray]()

    def add(
        self, coordinates: PrincipalCoordinates, partition: Partition, fold_P: np.ndarray
    ) -> None:
        """Score all permutations on one split.

        Parameters
        ----------
        coordinates : PrincipalCoordinates
            Of the training and test participants of `partition`.
        partition : Partition
        fold_P : ndarray of int
            Inner fold of each training participant.
        """
        train_PM, test_HM = self._shuffled_PM[partition.train], self._shuffled_PM[partition.test]
        if self._classes is None:
            predicted_HM = _predict(coordinates, train_PM, fold_P, self._strengths)
            self._scores.append(pearson(predicted_HM, test_HM))
            return
        # Two classes have the same AUROC, so the second is enough.
        codes = range(self._classes) if self._classes > 2 else [1]
        scores_M = np.zeros(train_PM.shape[1])
        for code in codes:
            indicator_PM = (train_PM == code).astype(float)
            predicted_HM = _predict(coordinates, indicator_PM, fold_P, self._strengths)
            scores_M += auroc(predicted_HM, test_HM == code)
        self._scores.append(scores_M / len(codes))

    def result(self) -> PermutationTest | None:
        """Compare the phenotype with its shuffles; None without shuffles or without splits."""
        shuffles = self._shuffled_PM.shape[1] - 1
        if not shuffles or not self._scores:
            return None
        means_M = np.mean(self._scores, axis=0)
        # The tolerance counts ties that differ by rounding as ties.
        p = float((means_M[1:] >= means_M[0] - 1e-9).sum() + 1) / (1 + shuffles)
        enough = shuffles >= MIN_SHUFFLES_FOR_DEVIATION
        return PermutationTest(p, float(means_M[1:].std()) if enough else None)


def _predict(
    coordinates: PrincipalCoordinates,
    target_PM: np.ndarray,
    fold_P: np.ndarray,
    strengths: np.ndarray,
) -> np.ndarray:
    """Predict every permutation with the strength that its own inner folds choose."""
    inner_SPM = ridge_over_folds(coordinates, target_PM, strengths, fold_P)
    # The choice of strength is repeated for each shuffle. With the strength of the real phenotype,
    # the shuffles would not be exchangeable with it.
    losses_SM = ((inner_SPM - target_PM) ** 2).sum(axis=1)
    return ridge(coordinates, target_PM, strengths[losses_SM.argmin(axis=0)])


def pearson(predicted_HM: np.ndarray, truth_HM: np.ndarray) -> np.ndarray:
    """Pearson correlation of each column; 0 where a column is constant."""
    predicted = predicted_HM - predicted_HM.mean(axis=0)
    truth = truth_HM - truth_HM.mean(axis=0)
    norm = np.linalg.norm(predicted, axis=0) * np.linalg.norm(truth, axis=0)
    return np.where(norm > 1e-12, (predicted * truth).sum(axis=0) / np.maximum(norm, 1e-12), 0.0)


def auroc(predicted_HM: np.ndarray, positive_HM: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each column, from ranks; ½ where a class is missing."""
    # Mann-Whitney U over the number of pairs; mean ranks count a tie as half.
    ranks = rankdata(predicted_HM, axis=0)
    positives = positive_HM.sum(axis=0)
    negatives = len(positive_HM) - positives
    above = (ranks * positive_HM).sum(axis=0) - positives * (positives + 1) / 2
    pairs = positives * negatives
    return np.where(pairs > 0, above / np.maximum(pairs, 1), 0.5)
