"""The exact protocol: a linear probe on one row per participant, solved to convergence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semantoks.config import Probe
from semantoks.scores.probe.candidates import CandidateFit, Version, least_loss, versions_of
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.features import Features, summed
from semantoks.scores.probe.fit import fit_stacked
from semantoks.scores.probe.phenotype_fits import PhenotypeFits
from semantoks.scores.probe.problem import Partition, PlacedProblem, Problem
from semantoks.scores.probe.targets import inner_folds

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
    placed = PlacedProblem(problem, np.arange(len(problem.participants)))
    return score_phenotypes([placed], features, settings, combined=combined)[0]


def score_phenotypes(
    problems: Sequence[PlacedProblem],
    features: Sequence[Features],
    settings: Probe,
    *,
    combined: bool = False,
) -> list[ProbeResult]:
    """Score several phenotypes as `score_features` scores each of them.

    Splits with the same training and test participants share the projection and the decomposition
    of the features, which take longer than everything else where there are many features.

    Parameters
    ----------
    problems : sequence of PlacedProblem
    features, settings, combined
        See `score_features`.

    Returns
    -------
    list of ProbeResult
    """
    stack = [list(features)] if combined else [[part] for part in features]
    has_features = all(part.values_PF.shape[1] for part in features)
    # Stacking would be fitted again at every fraction, which costs too much.
    has_curves = len(stack) == 1 and has_features
    fits = [
        PhenotypeFits(placed, settings, has_curves=has_curves, has_features=has_features)
        for placed in problems
    ]
    uses = dict[bytes, list[Use]]()
    for phenotype in fits:
        for number, partitions in enumerate(phenotype.splits):
            whole = phenotype.people(partitions[-1])
            uses.setdefault(b"|".join(rows.tobytes() for rows in whole), []).append(
                Use(phenotype, number, partitions)
            )
    for count, same_people in enumerate(uses.values(), 1):
        of_versions = [
            _fit_version(version, same_people, settings) for version in versions_of(stack)
        ]
        for use, *versions in zip(same_people, *of_versions, strict=True):
            candidates = zip(*versions, strict=True)
            use.phenotype.chosen[use.number] = [least_loss(fitted) for fitted in candidates]
        if count % max(1, len(uses) // 10) == 0:
            log.info("%d of %d splits", count, len(uses))
    return [phenotype.result() for phenotype in fits]


class Use(NamedTuple):
    """A split of a phenotype, whose participants others may have, too."""

    phenotype: PhenotypeFits
    number: int
    partitions: list[Partition]


def _fit_version(
    version: Version, uses: Sequence[Use], settings: Probe
) -> list[list[CandidateFit]]:
    """Fit one version of the features to all partitions of splits with the same participants."""
    first = uses[0]
    # Projections are fitted once per split, because they take longer than everything else.
    whole = first.phenotype.people(first.partitions[-1])
    projected = [[part.projected(*whole) for part in parts] for parts in version.stack]
    # Partitions with the same training participants, by the numbers of use and partition.
    alike = dict[bytes, dict[tuple[int, int], Fitted]]()
    for number, use in enumerate(uses):
        for index, partition in enumerate(use.partitions):
            train, test = use.phenotype.people(partition)
            same = alike.setdefault(train.tobytes(), {})
            same[number, index] = Fitted(use.phenotype, partition, train, test)
    fits = dict[tuple[int, int], CandidateFit]()
    for same in alike.values():
        fitted = _fit(projected, list(same.values()), settings, version.handicap)
        fits |= dict(zip(same, fitted, strict=True))
    return [
        [fits[number, index] for index in range(len(use.partitions))]
        for number, use in enumerate(uses)
    ]


class Fitted(NamedTuple):
    """A partition of a phenotype, and its participants in the features."""

    phenotype: PhenotypeFits
    partition: Partition
    train: np.ndarray
    test: np.ndarray


def _fit(
    projected: Sequence[Sequence[Features]],
    alike: Sequence[Fitted],
    settings: Probe,
    handicap: float,
) -> list[CandidateFit]:
    """Fit partitions with the same participants, and score their permutations where tested."""
    # One decomposition serves all phenotypes, strengths, inner folds and permutations.
    coordinates = [summed(parts, alike[0].train, alike[0].test) for parts in projected]
    tasks = []
    for phenotype, partition, *_ in alike:
        problem, train = phenotype.problem, partition.train
        training = problem.targets(train).take(train)
        folds = inner_folds(training, problem.groups(train), settings.inner_folds)
        tasks.append((training, folds))
    fits = fit_stacked(coordinates, tasks, settings.strengths)
    candidates = []
    for fit, (phenotype, partition, *_), (_, fold_P) in zip(fits, alike, tasks, strict=True):
        permutations = phenotype.permutations
        # The test is about one mean, that of the random or fixed splits without held-out sites.
        is_tested = partition.fraction == 1 and partition.split.scheme != "site"
        # Scored at once: the rotated features of 40,000 participants take 8 GB per split.
        permuted = (
            permutations.score(coordinates, partition, fold_P)
            if permutations is not None and is_tested
            else None
        )
        candidates.append(CandidateFit(fit, permuted, handicap))
    return candidates
