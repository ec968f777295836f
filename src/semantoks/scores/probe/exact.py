"""The exact protocol: a linear probe on one row per participant, solved to convergence."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.evaluation import ProbeResult, ScoreRow, evaluate
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.fit import fit_stacked
from semantoks.scores.probe.permutation import Permutations
from semantoks.scores.probe.problem import Partition, Problem
from semantoks.scores.probe.targets import check_training_part, inner_folds

log = logging.getLogger(__name__)


def score_features(problem: Problem, features: Sequence[Features], settings: Probe) -> ProbeResult:
    """Score a representation, or several stacked, with the exact protocol.

    Parameters
    ----------
    problem : Problem
    features : sequence of Features
        One representation, or those that are stacked.
    settings : Probe

    Returns
    -------
    ProbeResult
        Without a permutation test for a representation without features.

    Raises
    ------
    UserError
        When a training part is too small for the inner folds.
    """
    _check_training_parts(problem, settings)
    rows, predictions = list[ScoreRow](), list[pd.DataFrame]()
    permutations = _permutations(problem, features, settings)
    partitions = _partitions(problem, features, settings)
    for number, partition in enumerate(partitions, 1):
        # One decomposition per split serves all strengths, inner folds and permutations.
        coordinates = [part.coordinates(partition.train, partition.test) for part in features]
        targets = problem.targets(partition.train)
        training, groups_P = targets.take(partition.train), problem.groups(partition.train)
        fold_P = inner_folds(training, groups_P, settings.inner_folds)
        fit = fit_stacked(coordinates, training, fold_P, settings.strengths)
        row, table = evaluate(problem, partition, targets, fit.predicted_HK, is_balanced=True)
        # Participants of the validation part train, too.
        chosen = {"strength": fit.strength, "inner_loss": fit.inner_loss}
        rows.append(row | chosen | {"validation_people": 0})
        if partition.fraction == 1:
            predictions.append(table)
            # The test is about one mean, that of the random or fixed splits without held-out sites.
            if permutations is not None and partition.split.scheme != "site":
                # Scored at once: the rotated features of 40,000 participants take 8 GB per split.
                permutations.add(coordinates, partition, fold_P)
        if number % max(1, len(partitions) // 10) == 0:
            log.info("%d of %d fits", number, len(partitions))
    test = None if permutations is None else permutations.result()
    return ProbeResult(pd.DataFrame(rows), pd.concat(predictions, ignore_index=True), test)


def _partitions(problem: Problem, features: Sequence[Features], settings: Probe) -> list[Partition]:
    """Fits to score; learning curves only for one representation that needs no projection.

    Stacking and projections are fitted again at every fraction, which costs too much.
    """
    alone = len(features) == 1 and features[0].values_PF.shape[1] > 0
    has_curves = alone and not features[0].projection
    return [p for p in problem.partitions(settings) if p.fraction == 1 or has_curves]


def _check_training_parts(problem: Problem, settings: Probe) -> None:
    """Refuse training parts that are too small before anything is fitted."""
    phenotype = problem.metadata.phenotype
    partitions = [p for p in problem.partitions(settings) if p.fraction == 1]
    if not partitions:
        raise UserError(f"Phenotype '{phenotype}' has no split to score.")
    for partition in partitions:
        training = problem.targets(partition.train).take(partition.train)
        check_training_part(training, phenotype, settings.inner_folds)


def _permutations(
    problem: Problem, features: Sequence[Features], settings: Probe
) -> Permutations | None:
    """Begin a permutation test, where one is possible."""
    has_features = all(part.values_PF.shape[1] for part in features)
    if not (settings.permutations and has_features):
        return None
    everybody = np.arange(len(problem.participants))
    return Permutations(problem.targets(everybody), settings, problem.exchange())
