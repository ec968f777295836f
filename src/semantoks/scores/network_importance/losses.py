"""Scores of each split without a network, and with a network shuffled among test participants.

Legend: H test participants, F features, K classes or logits, M shuffles.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from semantoks.config import MIN_TESTED, Probe
from semantoks.scores.column_metrics import auroc, pearson
from semantoks.scores.network_importance.columns import Part
from semantoks.scores.network_importance.reduced import (
    ReducibleFeatures,
    shuffled_orders,
    unit_rows,
)
from semantoks.scores.probe.candidates import versions_of
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.fit import ProbeFit, fit_probe
from semantoks.scores.probe.problem import Partition, Problem
from semantoks.scores.probe.targets import ClassificationTargets, Targets, inner_folds

log = logging.getLogger(__name__)

SHUFFLES = 20
# Of the test participants. They do not depend on a threshold, so small losses show.
METRICS = {"classification": "auroc", "regression": "pearson_r"}


def losses_by_split(
    problem: Problem, features: Features, settings: Probe, parts: Sequence[Part]
) -> pd.DataFrame:
    """Score every split with all columns, without each part, and with each part shuffled.

    Parameters
    ----------
    problem : Problem
    features : Features
    settings : Probe
        Learning curves have no part in it.
    parts : sequence of Part
        Columns after the projection of the features.

    Returns
    -------
    DataFrame
        One row per split and part: ``split``, ``scheme``, ``held_out``, ``train_people``,
        ``test_people``, ``network``, ``other`` (the second network of a pair, else empty),
        ``columns`` (their number), and the metric with all columns (``score``), without these
        (``left_out``), and with these shuffled (``shuffled``, mean over shuffles).
    """
    # Fits of a learning curve are of fewer people, and stand in no table here.
    partitions = [part for part in problem.partitions(settings) if part.fraction == 1]
    tables = []
    for number, partition in enumerate(partitions, 1):
        tables.append(_of_split(problem, features, settings, parts, partition))
        log.info("%d of %d splits", number, len(partitions))
    return pd.concat(tables, ignore_index=True)


def _of_split(
    problem: Problem,
    features: Features,
    settings: Probe,
    parts: Sequence[Part],
    partition: Partition,
) -> pd.DataFrame:
    """Return one row per part; the rest is fitted again without it."""
    targets = problem.targets(partition.train)
    training, test = targets.take(partition.train), targets.take(partition.test)
    fold_P = inner_folds(training, problem.groups(partition.train), settings.inner_folds)
    whole = _best_version(features, partition, training, fold_P, settings)
    left_out = []
    for part in parts:
        coordinates = whole.features.without(part.columns_F)
        fit = fit_probe(coordinates, training, fold_P, settings.strengths)
        left_out.append(float(scores_of_test(test, fit.predicted_HK[..., None])[0]))
    return pd.DataFrame(
        {
            "split": partition.split.name,
            "scheme": partition.split.scheme,
            "held_out": partition.split.held_out,
            "train_people": len(partition.train),
            "test_people": len(partition.test),
            "network": [part.networks[0] for part in parts],
            "other": [part.networks[1] if len(part.networks) > 1 else "" for part in parts],
            "columns": [int(part.columns_F.sum()) for part in parts],
            "score": float(scores_of_test(test, whole.predicted(len(test)))[0]),
            "left_out": left_out,
            "shuffled": _shuffled(whole, test, parts),
        }
    )


@dataclass(frozen=True)
class WholeFit:
    """A fit with all columns; its test participants are followed by `unit_rows`."""

    features: ReducibleFeatures
    fit: ProbeFit
    is_classification: bool

    def predicted(self, people: int) -> np.ndarray:
        """Predictions of the test participants, shape (test participants, classes, 1)."""
        return self.fit.predicted_HK[:people, :, None]

    def weights(self, people: int) -> np.ndarray:
        """Weights on the principal axes, shape (axes, logits)."""
        return np.asarray(self.fit.logits_HK[people:-1] - self.fit.logits_HK[-1])

    def predict(self, logits_HKM: np.ndarray) -> np.ndarray:
        """Predict from logits (numbers of a regression), shuffle by shuffle."""
        if not self.is_classification:
            return logits_HKM
        # The probabilities of the row of zeros hold the offsets of the classes.
        offset_K = np.log(self.fit.predicted_HK[-1]) - self.fit.logits_HK[-1]
        return np.asarray(softmax(logits_HKM + offset_K[:, None], axis=1))


def _best_version(
    features: Features,
    partition: Partition,
    training: Targets,
    fold_P: np.ndarray,
    settings: Probe,
) -> WholeFit:
    """Fit the versions of features; without a network the better one stays the better."""
    fits = dict[float, WholeFit]()
    for ((version,),), handicap in versions_of([[features]]):
        blocks = version.prepare_blocks(partition.train, partition.test)
        reducible = ReducibleFeatures(blocks, version.weights)
        coordinates = unit_rows(reducible.coordinates)
        fit = fit_probe(coordinates, training, fold_P, settings.strengths)
        whole = WholeFit(reducible, fit, isinstance(training, ClassificationTargets))
        fits.setdefault(handicap * fit.inner_loss, whole)
    return fits[min(fits)]


def _shuffled(whole: WholeFit, test: Targets, parts: Sequence[Part]) -> list[float]:
    """Mean score over shuffles of the columns of each part among the test participants."""
    people = len(test)
    contributions = whole.features.contributions(whole.weights(people))
    order_MH = np.stack(list(shuffled_orders(people, SHUFFLES)))
    logits_HK, means = whole.fit.logits_HK[:people], list[float]()
    for part in parts:
        of_part_HK = contributions.of(part.columns_F)
        logits_MHK = (logits_HK - of_part_HK) + of_part_HK[order_MH]
        predicted_HKM = whole.predict(np.moveaxis(logits_MHK, 0, -1))
        means.append(float(scores_of_test(test, predicted_HKM).mean()))
    return means


def scores_of_test(test: Targets, predicted_HKM: np.ndarray) -> np.ndarray:
    """AUROC (one versus rest, mean over classes) or Pearson's r of each shuffle.

    NaN where the test part has a single class, or fewer than `MIN_TESTED` numbers.
    """
    unknown_M = np.full(predicted_HKM.shape[-1], np.nan)
    if not isinstance(test, ClassificationTargets):
        if len(test) < MIN_TESTED:
            return unknown_M
        return pearson(predicted_HKM[:, 0], test.values_P[:, None])
    count_K = test.counts
    present = [k for k in range(len(count_K)) if 0 < count_K[k] < len(test)]
    if not present:
        return unknown_M
    values = [auroc(predicted_HKM[:, k], (test.codes_P == k)[:, None]) for k in present]
    return np.asarray(np.mean(values, axis=0))
