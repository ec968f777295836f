"""Quantities that are functions of the step: data order, seeds, learning rate, loss weights."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from semantoks.config import Training
from semantoks.errors import UserError
from semantoks.model.distillation.schedules import half_cosine

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """The plan of a training; everything in it is a function of the step.

    Random draws are seeded per step too, so that a resumed training needs no generator states.

    Attributes
    ----------
    training : Training
        Settings.
    scans, batch, steps_per_epoch : int
        Number of scans, scans per step, and steps per epoch (an incomplete last batch is dropped).
    """

    training: Training
    scans: int
    batch: int
    steps_per_epoch: int

    @classmethod
    def plan(cls, training: Training, scans: int, processes: int = 1) -> Schedule:
        """Plan a training; with fewer scans than `batch_size` the batch shrinks, with a warning.

        Parameters
        ----------
        training : Training
            Settings.
        scans : int
            Number of scans.
        processes : int
            Number of processes, which share a batch in equal parts.

        Raises
        ------
        UserError
            If there are fewer than two scans, or too few for the processes.
        """
        if scans < 2:
            raise UserError(
                f"Pretraining needs at least 2 scans, found {scans}. Add data, or look up in the "
                "scan tables why scans were excluded."
            )
        batch = min(training.batch_size, scans)
        # Gradients are averaged over processes, which is the mean over scans for equal shares only.
        batch -= batch % processes
        if batch < 2:
            raise UserError(
                f"{processes} processes need at least as many scans in a batch, found {scans} "
                f"scans and a batch_size of {training.batch_size}. Set cpu_threads or processes of "
                "the model to less."
            )
        if batch < training.batch_size:
            logger.warning(
                "A batch has %d scans instead of %d (batch_size), because %s; the learning rate is "
                "reduced in proportion. The loss depends on the batch size, so losses of different "
                "batch sizes are not comparable.",
                batch,
                training.batch_size,
                f"there are {scans} scans"
                if scans < training.batch_size
                else f"{processes} processes share it in equal parts",
            )
        # Drop an incomplete last batch: the coding rate depends on the size of the batch.
        return cls(training, scans, batch, scans * training.crops_per_epoch // batch)

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return self.training.epochs * self.steps_per_epoch

    def order(self, epoch: int) -> Tensor:
        """Return the scans of an epoch, (steps, batch), from concatenated permutations."""
        # A CPU generator, so that the order is the same on every device.
        generator = torch.Generator().manual_seed(self.seed("order", epoch))
        permutations = [
            torch.randperm(self.scans, generator=generator)
            for _ in range(self.training.crops_per_epoch)
        ]
        used = self.steps_per_epoch * self.batch
        return torch.cat(permutations)[:used].view(-1, self.batch)

    def seed(self, purpose: str, number: int) -> int:
        """Derive a seed from the training's, for a purpose and a step (or epoch)."""
        # Not `hash`, which differs from process to process (PYTHONHASHSEED).
        entropy = (self.training.seed, number, *purpose.encode())
        # Drop a bit, so that the seed fits into a signed 64-bit integer.
        return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> np.uint64(1))

    def masked(self, step: int) -> bool:
        """Return whether the student's views are masked in this step (half of the steps)."""
        return bool(np.random.default_rng(self.seed("masked", step)).random() < 0.5)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate: a linear warm-up to the peak, then a cosine to zero.

        The peak scales with the batch size (Goyal et al., arXiv 1706.02677).
        """
        peak = self.training.learning_rate * self.batch / 256
        warmup = min(self.training.warmup_epochs * self.steps_per_epoch, self.steps)
        if step < warmup:
            # `step + 1`: otherwise the first step would have a learning rate of zero.
            return peak * min(1.0, (step + 1) / warmup)
        return peak * half_cosine(step - warmup, self.steps - warmup)

    def weight_decay(self, step: int) -> float:
        """Return the weight decay, which follows a cosine from the first to the second setting."""
        start, end = self.training.weight_decay
        return end + (start - end) * half_cosine(step, self.steps)

    def ttr_weight(self, step: int) -> float:
        """Return the weight of the temporal regulariser: a cosine to zero early in the training."""
        return self.training.ttr_weight * half_cosine(step, self.training.ttr_fraction * self.steps)


def in_as_many_steps(training: Training, scans: int, scans_of_all: int) -> Training:
    """Change the number of epochs so that fewer scans are trained on in as many steps.

    With the same number of epochs, a model of fewer scans would also be trained for a shorter time.

    Parameters
    ----------
    training : Training
        For all scans.
    scans, scans_of_all : int
    """

    def steps_per_epoch(number: int) -> int:
        return number * training.crops_per_epoch // max(min(training.batch_size, number), 1)

    ratio = steps_per_epoch(scans_of_all) / max(steps_per_epoch(scans), 1)
    return training.model_copy(
        update={
            "epochs": round(training.epochs * ratio),
            "warmup_epochs": training.warmup_epochs * ratio,
        }
    )
