"""What a head is trained to predict: losses, and predictions from its outputs.

Legend: B rows of a batch, P participants, H held-out participants, K outputs of the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import softmax
from torch import Tensor

from semantoks.scores.probe.targets import ClassificationTargets, Targets


@dataclass(frozen=True)
class Classes:
    """Classes, which count the same however many participants they have.

    Attributes
    ----------
    codes_P : ndarray of int
    weights_K : ndarray
        Weight of a participant of each class in the loss.
    """

    codes_P: np.ndarray
    weights_K: np.ndarray

    @property
    def outputs(self) -> int:
        """Number of outputs of the head."""
        return len(self.weights_K)

    def loss(self, outputs_BK: Tensor, rows_B: np.ndarray) -> Tensor:
        """Return the class-balanced log loss of some participants."""
        codes_B = torch.from_numpy(self.codes_P[rows_B]).to(outputs_BK.device)
        weights_K = torch.from_numpy(self.weights_K).to(outputs_BK)
        return F.cross_entropy(outputs_BK, codes_B, weights_K)

    def predicted(self, outputs_HK: np.ndarray) -> np.ndarray:
        """Return probabilities of the classes."""
        return np.asarray(softmax(outputs_HK, axis=1))


@dataclass(frozen=True)
class Numbers:
    """Numbers, standardised by those of the training participants."""

    values_P: np.ndarray
    mean: float
    deviation: float
    outputs: int = 1

    def loss(self, outputs_BK: Tensor, rows_B: np.ndarray) -> Tensor:
        """Return the mean squared error of the standardised numbers of some participants."""
        standard_B = (self.values_P[rows_B] - self.mean) / self.deviation
        return F.mse_loss(outputs_BK[:, 0], torch.from_numpy(standard_B).to(outputs_BK))

    def predicted(self, outputs_HK: np.ndarray) -> np.ndarray:
        """Return numbers in the unit of the phenotype."""
        return outputs_HK * self.deviation + self.mean


Goal: TypeAlias = Classes | Numbers


def goal_of(targets: Targets, train: np.ndarray) -> Goal:
    """Make the goal from the targets of all participants and the rows of those who train."""
    if isinstance(targets, ClassificationTargets):
        counts_K = np.maximum(targets.take(train).counts, 1)
        return Classes(targets.codes_P, counts_K.sum() / (len(counts_K) * counts_K))
    values = targets.values_P[train]
    return Numbers(targets.values_P, float(values.mean()), float(values.std()) or 1.0)
