"""A permutation test of whether a representation predicts a phenotype better than chance.

The phenotype is shuffled among the participants (of families and blocks, as `exchange` says), and
the whole procedure is repeated for each shuffle, the choice of the strength included. Here
classifications, too, are scored by ridge regression on class indicators: one decomposition per
split then serves all permutations at once. Stacked representations are stacked anew for each
shuffle, by ridge regression, too.

Legend: P training participants, H test participants, M permutations, the first of them the
phenotype as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semantoks.config import MIN_TESTED, Probe
from semantoks.scores.column_metrics import auroc, balanced_accuracy, pearson
from semantoks.scores.linear_models.axes import PrincipalCoordinates
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from semantoks.scores.linear_models.stacked_ridge import stacked_ridge
from semantoks.scores.probe.exchange import Exchange, exchange_of
from semantoks.scores.probe.problem import Partition
from semantoks.scores.probe.targets import ClassificationTargets, Targets

# Scores that differ by less are equal.
TIE = 1e-6


@dataclass(frozen=True)
class SplitScores:
    """Scores of all permutations on one split.

    Attributes
    ----------
    split : str
    loss_M : ndarray
        Mean squared error over the inner folds, at the strength that they choose, of the
        standardised target or of class indicators (mean over more than two classes).
    score_M : ndarray
        AUROC (one versus rest) or Pearson's r of the test participants.
    primary_M : ndarray or None
        Balanced accuracy or Pearson's r; None where `PermutationTest.shuffled` leaves it out.
    """

    split: str
    loss_M: np.ndarray
    score_M: np.ndarray
    primary_M: np.ndarray | None


@dataclass(frozen=True)
class PermutationTest:
    """Result of a permutation test.

    Attributes
    ----------
    p : float
        (1 + shuffles that score at least as high) / (1 + shuffles); the score is the mean over
        splits of the AUROC (one versus rest) or of Pearson's r.
    shuffled : ndarray, shape (shuffles,) or (0,)
        Mean over splits of the primary metric (balanced accuracy or Pearson's r) for each shuffle.
        All representations of a task have the same shuffles in the same order. Splits whose r is
        not reported (fewer than `MIN_TESTED` test participants) are left out; empty without others,
        and where shuffles do not score as chance does (`Exchange.has_null_of_chance`).
    splits : tuple of SplitScores
    """

    p: float
    shuffled: np.ndarray
    splits: tuple[SplitScores, ...]

    @classmethod
    def of(cls, splits: Sequence[SplitScores]) -> PermutationTest:
        """Compare the phenotype as it is, the first permutation, with its shuffles."""
        means_M = np.mean([split.score_M for split in splits], axis=0)
        # Scores may come from a file of single precision, and ties must stay ties.
        p = float((means_M[1:] >= means_M[0] - TIE).sum() + 1) / len(means_M)
        primary = [split.primary_M for split in splits if split.primary_M is not None]
        shuffled = np.mean(primary, axis=0)[1:] if primary else np.empty(0)
        return cls(p, shuffled, tuple(splits))


class Permutations:
    """Scores of shuffled phenotypes, collected split by split.

    Parameters
    ----------
    targets : Targets
        Of all participants.
    settings : Probe
    exchange : Exchange, optional
        Whose values are exchanged (default: those of everybody).
    """

    def __init__(self, targets: Targets, settings: Probe, exchange: Exchange | None = None) -> None:
        # With a fixed seed, all representations are tested on the same shuffles.
        rng = np.random.default_rng(0)
        exchange = exchange or exchange_of(np.arange(len(targets)), None, None)
        orders = [np.arange(len(targets)), *exchange.orders(settings.permutations, rng)]
        self._has_null_of_chance = exchange.has_null_of_chance
        self._classes: int | None = None
        if isinstance(targets, ClassificationTargets):
            values_P, self._classes = targets.codes_P, len(targets.class_names)
        else:
            # The unit of a phenotype must not decide what counts as rounding.
            centred = targets.values_P - targets.values_P.mean()
            values_P = centred / (centred.std() or 1.0)
        self._shuffled_PM = values_P[np.stack(orders, axis=1)]
        self._strengths = np.sort(np.asarray(settings.strengths, float))[::-1]
        self._splits = list[SplitScores]()

    def add(self, scores: SplitScores) -> None:
        """Collect the scores of one split."""
        self._splits.append(scores)

    def score(
        self, parts: Sequence[PrincipalCoordinates], partition: Partition, fold_P: np.ndarray
    ) -> SplitScores:
        """Score all permutations on one split.

        Parameters
        ----------
        parts : sequence of PrincipalCoordinates
            Of the training and test participants of `partition`; several are stacked.
        partition : Partition
        fold_P : ndarray of int
            Inner fold of each training participant.
        """
        train_PM, test_HM = self._shuffled_PM[partition.train], self._shuffled_PM[partition.test]
        if self._classes is None:
            predicted_HM, inner_PM = _predict(parts, train_PM, fold_P, self._strengths)
            loss_M, score_M = _mean_square(inner_PM - train_PM), pearson(predicted_HM, test_HM)
            primary_M = score_M if len(test_HM) >= MIN_TESTED else None
        else:
            loss_M, score_M, primary_M = self._classify(parts, train_PM, test_HM, fold_P)
        if not self._has_null_of_chance:
            primary_M = None
        return SplitScores(partition.split.name, loss_M, score_M, primary_M)

    def _classify(
        self,
        parts: Sequence[PrincipalCoordinates],
        train_PM: np.ndarray,
        test_HM: np.ndarray,
        fold_P: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return loss, AUROC and balanced accuracy of every permutation of class codes."""
        assert self._classes is not None
        # Two classes have the same AUROC, so the second is enough.
        codes = range(self._classes) if self._classes > 2 else [1]
        losses, aurocs = [], []
        margins = [] if self._classes > 2 else [np.zeros(test_HM.shape)]
        for code in codes:
            indicator_PM = (train_PM == code).astype(float)
            predicted_HM, inner_PM = _predict(
                parts, indicator_PM, fold_P, self._strengths, is_class=True
            )
            losses.append(_mean_square(inner_PM - indicator_PM))
            aurocs.append(auroc(predicted_HM, test_HM == code))
            # Without means, as in a logistic fit with balanced classes: the mean of the other folds
            # is high where a participant's own fold, not stratified by shuffles, lacks the class.
            inner_PM -= _mean_of_other_folds(indicator_PM, fold_P)
            predicted_HM -= indicator_PM.mean(axis=0)
            margins.append(predicted_HM - _middle_of_classes(inner_PM, train_PM, self._classes))
        accuracy_M = balanced_accuracy(np.argmax(margins, axis=0), test_HM)
        return np.mean(losses, axis=0), np.mean(aurocs, axis=0), accuracy_M

    def result(self) -> PermutationTest | None:
        """Compare the phenotype with its shuffles; None without shuffles or without splits."""
        has_shuffles = self._shuffled_PM.shape[1] > 1
        return PermutationTest.of(self._splits) if has_shuffles and self._splits else None


def _predict(
    parts: Sequence[PrincipalCoordinates],
    target_PM: np.ndarray,
    fold_P: np.ndarray,
    strengths: np.ndarray,
    *,
    is_class: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every permutation from a representation, or from several stacked.

    Indicators of classes are stacked without the means of the other folds, see `Permutations.add`.
    """
    of_parts = [_predict_from(part, target_PM, fold_P, strengths) for part in parts]
    if len(of_parts) == 1:
        return of_parts[0]
    held_HMC, train_PMC = (np.stack(arrays, axis=-1) for arrays in zip(*of_parts, strict=True))
    if is_class:
        train_PMC = train_PMC - _mean_of_other_folds(target_PM, fold_P)[..., None]
        held_HMC = held_HMC - target_PM.mean(axis=0)[..., None]
    return stacked_ridge(train_PMC, held_HMC, target_PM, strengths, fold_P)


def _predict_from(
    coordinates: PrincipalCoordinates,
    target_PM: np.ndarray,
    fold_P: np.ndarray,
    strengths: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Predict every permutation with the strength that its own inner folds choose.

    Returns
    -------
    predicted : ndarray, shape (test participants, permutations)
    inner : ndarray, shape (training participants, permutations)
        Predictions from the inner folds that the participant is not in.
    """
    inner_SPM = ridge_over_folds(coordinates, target_PM, strengths, fold_P)
    # The choice of strength is repeated for each shuffle. With the strength of the real phenotype,
    # the shuffles would not be exchangeable with it.
    losses_SM = ((inner_SPM - target_PM) ** 2).sum(axis=1)
    best_M = losses_SM.argmin(axis=0)
    inner_PM = np.take_along_axis(inner_SPM, best_M[None, None], axis=0)[0]
    return ridge(coordinates, target_PM, strengths[best_M]), inner_PM


def _mean_square(residual_PM: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("pm,pm->m", residual_PM, residual_PM) / len(residual_PM))


def _mean_of_other_folds(target_PM: np.ndarray, fold_P: np.ndarray) -> np.ndarray:
    """Mean of the targets that each participant's inner fit is made with."""
    inside_PF = (fold_P[:, None] == np.unique(fold_P)).astype(float)
    others_FM = target_PM.sum(axis=0) - inside_PF.T @ target_PM
    counts_F = len(fold_P) - inside_PF.sum(axis=0)
    return np.asarray(inside_PF @ (others_FM / counts_F[:, None]))


def _middle_of_classes(inner_PM: np.ndarray, code_PM: np.ndarray, classes: int) -> np.ndarray:
    """Threshold of each permutation between classes, as the offsets of a logistic probe are."""
    means = []
    for code in range(classes):
        inside_PM = code_PM == code
        count_M = np.maximum(inside_PM.sum(axis=0), 1)
        means.append((inner_PM * inside_PM).sum(axis=0) / count_M)
    return np.asarray(np.mean(means, axis=0))
