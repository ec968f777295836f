"""Train an encoder and its head together, and stop early.

Legend: W windows, P participants, F features, K outputs.
"""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import dataclass

import numpy as np
import torch

from semantoks.config import FinetuneTraining
from semantoks.errors import UserError
from semantoks.finetune.goals import Goal
from semantoks.finetune.network import Predictor, parameter_groups
from semantoks.finetune.people import People

WARM_UP = 0.1  # of all steps
LARGEST_GRADIENT = 1.0  # norm, as in pretraining
log = logging.getLogger(__name__)


@dataclass
class Trainer:
    """One training of a predictor.

    Attributes
    ----------
    predictor : Predictor
        Updated in place.
    people : People
    goal : Goal
    settings : FinetuneTraining
    rng : Generator
        Of windows and their order.
    """

    predictor: Predictor
    people: People
    goal: Goal
    settings: FinetuneTraining
    rng: np.random.Generator

    def stop_early(self, train: np.ndarray, validation: np.ndarray) -> int:
        """Train until the loss of the validation participants does not fall any more.

        Parameters
        ----------
        train, validation : ndarray of int
            Row numbers of participants with scans, none of them in both.

        Returns
        -------
        int
            Epoch whose weights are restored at the end; 0 is the start, the probe of the encoder
            as it was.
        """
        optimizer, schedule = self._optimizer(train)
        best, least = 0, self._loss(validation)
        weights = copy.deepcopy(self.predictor.state_dict())
        for epoch in range(1, self.settings.epochs + 1):
            self._epoch(train, optimizer, schedule)
            loss = self._loss(validation)
            if loss < least:
                best, least = epoch, loss
                weights = copy.deepcopy(self.predictor.state_dict())
            elif epoch - best >= self.settings.patience:
                break
        self.predictor.load_state_dict(weights)
        return best

    def train(self, train: np.ndarray, epochs: int) -> None:
        """Train a number of epochs, of a schedule of as many as the settings say."""
        optimizer, schedule = self._optimizer(train)
        for _ in range(epochs):
            self._epoch(train, optimizer, schedule)

    def outputs(self, rows: np.ndarray) -> np.ndarray:
        """Return outputs of some participants, (P, K): means over windows, then over scans.

        Of who has no usable scan nothing is known: the outputs are zero, those of equal
        probabilities or of the mean.
        """
        return participant_means(self.predictor, self.people, rows)

    def _loss(self, rows: np.ndarray) -> float:
        outputs_PK = torch.from_numpy(self.outputs(rows))
        return float(self.goal.loss(outputs_PK, rows))

    def _optimizer(
        self, train: np.ndarray
    ) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
        optimizer = torch.optim.AdamW(parameter_groups(self.predictor, self.settings))
        steps = self.settings.epochs * self._batches(len(train) * self.settings.windows)
        return optimizer, torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: rate_factor(step, steps)
        )

    def _batches(self, windows: int) -> int:
        return math.ceil(windows / self.settings.batch_size)

    def _epoch(
        self,
        train: np.ndarray,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LambdaLR,
    ) -> None:
        """Make a step for each batch of random windows of all training participants.

        Raises
        ------
        UserError
            If the loss is not finite.
        """
        order = self.rng.permutation(np.repeat(train, self.settings.windows))
        for rows_W in np.array_split(order, self._batches(len(order))):
            windows = self.people.drawn(rows_W, self.rng)
            loss = self.goal.loss(self.predictor(windows), windows.row_W)
            if not torch.isfinite(loss):
                raise UserError(
                    "Fine-tuning diverged: the loss is not finite. Lower finetune.learning_rate "
                    f"({self.settings.learning_rate:g})."
                )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(self.predictor.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()


def rate_factor(step: int, steps: int) -> float:
    """Return the factor of all learning rates: a linear warm-up, then a cosine to zero."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


@torch.inference_mode()
def participant_means(
    predictor: Predictor, people: People, rows: np.ndarray, *, embedded: bool = False
) -> np.ndarray:
    """Average outputs, or embeddings, over the windows and then the scans of each participant.

    Returns
    -------
    ndarray of float64, shape (participants, outputs or features)
        Zero for who has no usable scan.
    """
    head = predictor.head
    total = np.zeros((len(people.scans), head.in_features if embedded else head.out_features))
    for windows in people.spaced(rows):
        values = predictor.embed(windows) if embedded else predictor(windows)
        weighted = values.double().cpu().numpy() * windows.share_W[:, None]
        np.add.at(total, windows.row_W, weighted)
    return np.asarray(total[rows])
