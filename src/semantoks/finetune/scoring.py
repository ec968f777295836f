"""Fine-tune on the training participants of each split, and score the test participants."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.finetune.goals import goal_of
from semantoks.finetune.network import Predictor
from semantoks.finetune.people import People
from semantoks.finetune.settings import FinetuneSettings
from semantoks.finetune.start import linear_start
from semantoks.finetune.training import Trainer, participant_means
from semantoks.model.network.encoder import Encoder
from semantoks.scores.probe.evaluation import ProbeResult, ScoreRow, evaluate
from semantoks.scores.probe.problem import Partition, Problem
from semantoks.scores.probe.targets import check_training_part, inner_folds

# One of so many folds of the training part is for early stopping, where a split has no other.
VALIDATION_FOLDS = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FineTuning:
    """What is fine-tuned on what.

    Attributes
    ----------
    encoder : Encoder
        On the device of the training; it stays as it is.
    people : People
        Scans of the participants of the problem.
    problem : Problem
    settings : FinetuneSettings
    """

    encoder: Encoder
    people: People
    problem: Problem
    settings: FinetuneSettings

    def score(self) -> ProbeResult:
        """Fine-tune on every split and score it.

        Returns
        -------
        ProbeResult
            Without a permutation test: each permutation would have to be trained on. ``strength``
            is the learning rate, and ``epochs`` the epoch that early stopping chose.

        Raises
        ------
        UserError
            If there is no split, a training part is too small, or the training diverges.
        """
        partitions = list(self._partitions())
        for partition in partitions:
            self._check(partition)
        rows, predictions = list[ScoreRow](), list[pd.DataFrame]()
        for number, partition in enumerate(partitions, 1):
            row, table = self._score(partition)
            rows.append(row)
            predictions.append(table)
            log.info(
                "%d of %d splits: epoch %d is the best", number, len(partitions), row["epochs"]
            )
        return ProbeResult(pd.DataFrame(rows), pd.concat(predictions, ignore_index=True))

    def train_on_everybody(self, epochs: int) -> Predictor:
        """Train a number of epochs on all participants."""
        everybody = np.arange(len(self.problem.participants))
        trainer = self._trainer(everybody, everybody, "everybody")
        trainer.train(everybody[self.people.has_scan], epochs)
        return trainer.predictor

    def _score(self, partition: Partition) -> tuple[ScoreRow, pd.DataFrame]:
        """Fine-tune on a split, predict its test participants, and score the predictions."""
        validation, train = partition.validation, partition.train
        train = np.setdiff1d(train, validation)
        trainer = self._trainer(partition.train, train, partition.split.name)
        known_P = self.people.has_scan
        epoch = trainer.stop_early(train[known_P[train]], validation[known_P[validation]])
        targets = self.problem.targets(partition.train)
        predicted_HK = trainer.goal.predicted(trainer.outputs(partition.test))
        row, table = evaluate(self.problem, partition, targets, predicted_HK, is_balanced=True)
        chosen: ScoreRow = {
            "strength": self.settings.training.learning_rate,
            "inner_loss": float("nan"),
            "validation_people": len(validation),
            "epochs": epoch,
        }
        return row | chosen, table

    def _trainer(self, labelled: np.ndarray, train: np.ndarray, name: str) -> Trainer:
        """Make a predictor that begins as the probe of the training participants.

        Parameters
        ----------
        labelled : ndarray of int
            Participants whose quantiles cut a number into classes, those of `probe`.
        train : ndarray of int
        name : str
            Part of the seed, so that a split is the same however many there are.
        """
        targets, settings = self.problem.targets(labelled), self.settings
        goal = goal_of(targets, train)
        # Initial values are all set, but a library may draw some.
        torch.manual_seed(settings.training.seed)
        predictor = Predictor(self.encoder, goal.outputs)
        known = train[self.people.has_scan[train]]
        fold_P = inner_folds(
            targets.take(known), self.problem.groups(known), settings.probe.inner_folds
        )
        embedded_PF = participant_means(predictor, self.people, known, embedded=True)
        predictor.start(linear_start(embedded_PF, targets.take(known), fold_P, settings.probe))
        rng = np.random.default_rng([settings.training.seed, zlib.crc32(name.encode())])
        return Trainer(predictor, self.people, goal, settings.training, rng)

    def _partitions(self) -> Iterator[Partition]:
        """Whole training parts of the first splits, each with people for early stopping."""
        settings, fixed = self.settings.training, 0
        splits = Probe(repeats=settings.splits, permutations=0, learning_curve=[])
        for partition in self.problem.partitions(splits):
            fixed += partition.split.scheme == "fixed"
            if partition.split.scheme == "site" and not settings.sites:
                continue
            if partition.split.scheme == "fixed" and fixed > settings.splits:
                continue
            has_validation = len(partition.validation) > 0
            yield partition if has_validation else self._with_validation(partition)

    def _with_validation(self, partition: Partition) -> Partition:
        """Take a part of the training participants, stratified by class, families together."""
        train = partition.train
        targets = self.problem.targets(train).take(train)
        fold_P = inner_folds(targets, self.problem.groups(train), VALIDATION_FOLDS)
        return replace(partition, validation=train[fold_P == 0])

    def _check(self, partition: Partition) -> None:
        """Refuse training parts that are too small before anything is trained."""
        known_P, phenotype = self.people.has_scan, self.problem.metadata.phenotype
        train = np.setdiff1d(partition.train, partition.validation)
        train = train[known_P[train]]
        targets = self.problem.targets(partition.train)
        folds, of_site = self.settings.probe.inner_folds, partition.split.scheme == "site"
        check_training_part(targets.take(train), phenotype, folds, of_site=of_site)
        if not known_P[partition.validation].any():
            raise UserError(
                f"Phenotype '{phenotype}' has no validation participant with a usable scan in "
                f"{partition.split.name}, which early stopping needs. Raise "
                "splits.validation_fraction."
            )


def typical_epochs(scores: pd.DataFrame) -> int:
    """Return the median of the epochs that early stopping chose."""
    return round(float(scores["epochs"].median()))
