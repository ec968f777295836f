"""The splits of one phenotype, and their fits by the exact protocol."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pandas as pd

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.candidates import CandidateFit
from semantoks.scores.probe.evaluation import ProbeResult, ScoreRow, evaluate
from semantoks.scores.probe.fit import ProbeFit
from semantoks.scores.probe.permutation import Permutations
from semantoks.scores.probe.problem import Partition, PlacedProblem, Problem
from semantoks.scores.probe.targets import check_training_part


class PhenotypeFits:
    """The splits of one phenotype, and their fits.

    Parameters
    ----------
    placed : PlacedProblem
    settings : Probe
    has_curves : bool
        Whether fractions of the training part are fitted, too.
    has_features : bool
        Whether there is something that permutations could test.

    Attributes
    ----------
    problem : Problem
    splits : list of list of Partition
        Fits to score, the whole training part of each split last.
    permutations : Permutations or None
    chosen : dict of int to list of CandidateFit
        By the number of the split.
    """

    def __init__(
        self, placed: PlacedProblem, settings: Probe, *, has_curves: bool, has_features: bool
    ) -> None:
        self.problem, self._rows_P = problem, _ = placed
        _check_training_parts(problem, settings)
        scored = (p for p in problem.partitions(settings) if p.fraction == 1 or has_curves)
        self.splits = [list(group) for _, group in groupby(scored, key=lambda p: p.split.name)]
        self.permutations = _permutations(problem, settings) if has_features else None
        self.chosen = dict[int, list[CandidateFit]]()

    def people(self, partition: Partition) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the training and of the test participants in the features."""
        return self._rows_P[partition.train], self._rows_P[partition.test]

    def result(self) -> ProbeResult:
        """Score the predictions of all fits."""
        rows, predictions = list[ScoreRow](), list[pd.DataFrame]()
        for number, partitions in enumerate(self.splits):
            for partition, chosen in zip(partitions, self.chosen[number], strict=True):
                row, table = _evaluate(self.problem, partition, chosen.fit)
                rows.append(row)
                if partition.fraction == 1:
                    predictions.append(table)
                if self.permutations is not None and chosen.permuted is not None:
                    self.permutations.add(chosen.permuted)
        test = None if self.permutations is None else self.permutations.result()
        return ProbeResult(pd.DataFrame(rows), pd.concat(predictions, ignore_index=True), test)


def _evaluate(
    problem: Problem, partition: Partition, fit: ProbeFit
) -> tuple[ScoreRow, pd.DataFrame]:
    """Score the predictions of a fit, and say how it was regularised."""
    targets = problem.targets(partition.train)
    row, table = evaluate(problem, partition, targets, fit.predicted_HK, is_balanced=True)
    chosen = {"strength": fit.strength, "inner_loss": fit.inner_loss}
    # Participants of the validation part train, too.
    return row | chosen | {"validation_people": 0}, table


def _check_training_parts(problem: Problem, settings: Probe) -> None:
    """Refuse training parts that are too small before anything is fitted."""
    phenotype = problem.metadata.phenotype
    partitions = [p for p in problem.partitions(settings) if p.fraction == 1]
    if not partitions:
        raise UserError(f"Phenotype '{phenotype}' has no split to score.")
    for partition in partitions:
        training = problem.targets(partition.train).take(partition.train)
        of_site = partition.split.scheme == "site"
        check_training_part(training, phenotype, settings.inner_folds, of_site=of_site)


def _permutations(problem: Problem, settings: Probe) -> Permutations | None:
    """Begin a permutation test, where one is asked for."""
    if not settings.permutations:
        return None
    everybody = np.arange(len(problem.participants))
    return Permutations(problem.targets(everybody), settings, problem.exchange())
