"""The exact protocol: a linear probe on one row per participant, solved to convergence."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.candidates import CandidateFit, Version, least_loss, versions_of
from semantoks.scores.probe.evaluation import ProbeResult, ScoreRow, evaluate
from semantoks.scores.probe.features import Features, summed
from semantoks.scores.probe.fit import ProbeFit, fit_stacked
from semantoks.scores.probe.permutation import Permutations
from semantoks.scores.probe.problem import Partition, Problem
from semantoks.scores.probe.targets import check_training_part, inner_folds

log = logging.getLogger(__name__)


def score_features(
    problem: Problem, features: Sequence[Features], settings: Probe, *, combined: bool = False
) -> ProbeResult:
    """Score a representation, or several stacked or combined, with the exact protocol.

    Parameters
    ----------
    problem : Problem
    features : sequence of Features
        One representation, or those that are stacked or combined.
    settings : Probe
    combined : bool
        Whether the kernels of all blocks of several representations are summed. Otherwise each has
        a probe, and these are stacked.

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
    stack = [list(features)] if combined else [[part] for part in features]
    splits = _partitions_by_split(problem, stack, settings)
    for number, partitions in enumerate(splits, 1):
        of_versions = [
            list(_fits(problem, version, partitions, settings, permutations))
            for version in versions_of(stack)
        ]
        for partition, *candidates in zip(partitions, *of_versions, strict=True):
            chosen = least_loss(candidates)
            row, table = _evaluate(problem, partition, chosen.fit)
            rows.append(row)
            if partition.fraction == 1:
                predictions.append(table)
            if permutations is not None and chosen.permuted is not None:
                permutations.add(chosen.permuted)
        if number % max(1, len(splits) // 10) == 0:
            log.info("%d of %d splits", number, len(splits))
    test = None if permutations is None else permutations.result()
    return ProbeResult(pd.DataFrame(rows), pd.concat(predictions, ignore_index=True), test)


def _fits(
    problem: Problem,
    version: Version,
    partitions: Sequence[Partition],
    settings: Probe,
    permutations: Permutations | None,
) -> Iterator[CandidateFit]:
    """Fit one version of the features to the partitions of a split, the whole one last."""
    whole = partitions[-1]
    # Projections are fitted once per split, because they take longer than everything else.
    projected = [
        [part.projected(whole.train, whole.test) for part in parts] for parts in version.stack
    ]
    for partition in partitions:
        # One decomposition per partition serves all strengths, inner folds and permutations.
        coordinates = [summed(parts, partition.train, partition.test) for parts in projected]
        training = problem.targets(partition.train).take(partition.train)
        fold_P = inner_folds(training, problem.groups(partition.train), settings.inner_folds)
        fit = fit_stacked(coordinates, training, fold_P, settings.strengths)
        # The test is about one mean, that of the random or fixed splits without held-out sites.
        is_tested = partition.fraction == 1 and partition.split.scheme != "site"
        # Scored at once: the rotated features of 40,000 participants take 8 GB per split.
        permuted = (
            permutations.score(coordinates, partition, fold_P)
            if permutations is not None and is_tested
            else None
        )
        yield CandidateFit(fit, permuted, version.handicap)


def _evaluate(
    problem: Problem, partition: Partition, fit: ProbeFit
) -> tuple[ScoreRow, pd.DataFrame]:
    """Score the predictions of a fit, and say how it was regularised."""
    targets = problem.targets(partition.train)
    row, table = evaluate(problem, partition, targets, fit.predicted_HK, is_balanced=True)
    chosen = {"strength": fit.strength, "inner_loss": fit.inner_loss}
    # Participants of the validation part train, too.
    return row | chosen | {"validation_people": 0}, table


def _partitions_by_split(
    problem: Problem, stack: Sequence[Sequence[Features]], settings: Probe
) -> list[list[Partition]]:
    """Fits to score, the whole training part of each split last.

    Stacked rows have no learning curves: stacking would be fitted again at every fraction, which
    costs too much.
    """
    has_curves = len(stack) == 1 and all(part.values_PF.shape[1] for part in stack[0])
    scored = (p for p in problem.partitions(settings) if p.fraction == 1 or has_curves)
    return [list(group) for _, group in groupby(scored, key=lambda p: p.split.name)]


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
