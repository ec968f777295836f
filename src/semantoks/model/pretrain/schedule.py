"""What changes over the training: data order, learning rate, weight decay, loss weights."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from semantoks.config import Training
from semantoks.errors import UserError
from semantoks.model.distillation.losses import half_cosine

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """A training of so many steps; everything in it is a function of the step.

    Randomness is seeded per step too, so that a resumed run needs no random states.

    Attributes
    ----------
    training : Training
        Settings.
    scans, batch, steps_per_epoch : int
        Number of scans, scans per step, steps per epoch (what is left of an epoch is dropped).
    """

    training: Training
    scans: int
    batch: int
    steps_per_epoch: int

    @classmethod
    def plan(cls, training: Training, scans: int, processes: int = 1) -> Schedule:
        """Lay out the training; with fewer scans than a batch, the batch shrinks.

        A batch is shared by the processes in equal parts.

        Raises
        ------
        UserError
            With fewer than two scans.
        """
        if scans < 2:
            raise UserError(
                f"Pretraining needs at least 2 scans, found {scans}. Add data, or look in the "
                "scan tables why scans were excluded."
            )
        batch = min(training.batch_size, scans)
        batch -= batch % processes
        if batch < 2:
            raise UserError(
                f"{processes} processes need at least as many scans in a batch, found {scans} "
                f"scans and a batch_size of {training.batch_size}. Start fewer processes."
            )
        if batch < training.batch_size:
            logger.warning(
                "batch_size is %d but there are %d scans for %d process(es): the batch is shrunk "
                "to %d, and the learning rate with it. Losses of different batch sizes do not "
                "compare.",
                training.batch_size,
                scans,
                processes,
                batch,
            )
        return cls(training, scans, batch, scans * training.crops_per_epoch // batch)

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return self.training.epochs * self.steps_per_epoch

    def order(self, epoch: int) -> Tensor:
        """Return the scans of an epoch, (steps, batch): permutations one after the other."""
        generator = torch.Generator().manual_seed(self.seed("order", epoch))
        rounds = [
            torch.randperm(self.scans, generator=generator)
            for _ in range(self.training.crops_per_epoch)
        ]
        kept = self.steps_per_epoch * self.batch
        return torch.cat(rounds)[:kept].view(-1, self.batch)

    def seed(self, purpose: str, number: int) -> int:
        """Derive a seed for one purpose and step (or epoch)."""
        entropy = (self.training.seed, number, *purpose.encode())
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def masked(self, step: int) -> bool:
        """Whether the student sees masked views in this step (half of them)."""
        return bool(np.random.default_rng(self.seed("masked", step)).random() < 0.5)

    def learning_rate(self, step: int) -> float:
        """Linear warm-up to the peak, then a cosine to zero."""
        peak = self.training.learning_rate * self.batch / 256
        warmup = min(self.training.warmup_epochs * self.steps_per_epoch, self.steps)
        if step < warmup:
            return peak * min(1.0, (step + 1) / warmup)
        return peak * half_cosine(step - warmup, self.steps - warmup)

    def weight_decay(self, step: int) -> float:
        """From the first to the second value along a cosine."""
        start, end = self.training.weight_decay
        return end + (start - end) * half_cosine(step, self.steps)

    def ttr_weight(self, step: int) -> float:
        """Weight of the temporal regulariser: a cosine to zero early in the training."""
        return self.training.ttr_weight * half_cosine(step, self.training.ttr_fraction * self.steps)
