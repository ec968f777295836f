"""The protocol of the paper: an SGD head on windows, its learning rate chosen by validation.

Batch normalisation and a linear layer, momentum 0.9, no weight decay, 50 epochs, cross-entropy.
Windows are training samples; logits are averaged per participant. Source: arXiv 2512.11582.

Legend: W windows, F features, H test participants, K classes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.evaluation import ProbeResult, ScoreRow, evaluate
from semantoks.scores.probe.problem import Partition, Problem
from semantoks.scores.probe.targets import ClassificationTargets

if TYPE_CHECKING:
    import torch

LEARNING_RATES = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
EPOCHS, MOMENTUM, INITIAL_STD = 50, 0.9, 2e-5
log = logging.getLogger(__name__)


def score_windows(problem: Problem, windows: Sequence[np.ndarray], settings: Probe) -> ProbeResult:
    """Score a representation with the protocol of the paper.

    Parameters
    ----------
    problem : Problem
        A classification, or a number that is binned into classes.
    windows : sequence of ndarray, shape (windows, features)
        Of each participant, in the order of the problem.
    settings : Probe

    Returns
    -------
    ProbeResult
        Without a permutation test; ``strength`` is the learning rate.

    Raises
    ------
    UserError
        When the phenotype is a number, or no split has validation participants.
    """
    partitions = _partitions(problem, settings)
    rows, predictions = list[ScoreRow](), list[pd.DataFrame]()
    for seed, partition in enumerate(partitions):
        targets = problem.targets(partition.train)
        if not isinstance(targets, ClassificationTargets):
            raise _not_classes(problem)
        probabilities_HK, rate = _fit(windows, targets, partition, seed)
        row, table = evaluate(problem, partition, targets, probabilities_HK, is_balanced=False)
        rows.append(row | {"strength": rate})
        predictions.append(table)
        log.info("%d of %d fits", seed + 1, len(partitions))
    return ProbeResult(pd.DataFrame(rows), pd.concat(predictions, ignore_index=True))


def _partitions(problem: Problem, settings: Probe) -> list[Partition]:
    """Fits with all training participants and a validation part."""
    if problem.metadata.kind == "regression":
        raise _not_classes(problem)
    partitions = [p for p in problem.partitions(settings) if p.fraction == 1 and len(p.validation)]
    if not partitions:
        raise UserError(
            f"Phenotype '{problem.metadata.phenotype}' has no split with validation participants, "
            "which `probe.protocol: paper` needs. Raise splits.validation_fraction."
        )
    return partitions


def _not_classes(problem: Problem) -> UserError:
    return UserError(
        f"Phenotype '{problem.metadata.phenotype}' is a number, and `probe.protocol: paper` "
        "classifies. Bin it into classes with `bins`, as the paper does."
    )


def _fit(
    windows: Sequence[np.ndarray], targets: ClassificationTargets, partition: Partition, seed: int
) -> tuple[np.ndarray, float]:
    """Train at every learning rate and keep the one with the best validation accuracy.

    Returns
    -------
    probabilities : ndarray, shape (test participants, classes)
    rate : float
    """
    classes = len(targets.class_names)
    if not windows[0].shape[1]:  # no features: the chance representation
        return np.full((len(partition.test), classes), 1 / classes), 0.0
    train = np.setdiff1d(partition.train, partition.validation)
    windows = _impute(windows, train)
    truth = targets.codes_P[partition.validation]
    best: tuple[float, np.ndarray, float] = (-1.0, np.empty(0), 0.0)
    for rate in LEARNING_RATES:
        head = _train(windows, targets, train, rate, seed)
        predicted = _logits(head, windows, partition.validation).argmax(axis=1)
        recalls = [(predicted[truth == code] == code).mean() for code in np.unique(truth)]
        balanced_accuracy = float(np.mean(recalls))
        # Strictly greater: of equal scores the first, and so the highest, learning rate is kept.
        if balanced_accuracy > best[0]:
            logits_HK = _logits(head, windows, partition.test)
            # Softmax; without the maximum, large logits overflow.
            exponents = np.exp(logits_HK - logits_HK.max(axis=1, keepdims=True))
            best = balanced_accuracy, exponents / exponents.sum(axis=1, keepdims=True), rate
    return best[1], best[2]


def _impute(windows: Sequence[np.ndarray], train: np.ndarray) -> list[np.ndarray]:
    """Replace missing values by the mean over the training windows."""
    train_WF = np.concatenate([windows[row] for row in train])
    count = np.maximum(np.isfinite(train_WF).sum(axis=0), 1)
    mean = np.where(np.isfinite(train_WF), train_WF, 0).sum(axis=0) / count
    return [np.where(np.isfinite(part), part, mean) for part in windows]


def _train(
    windows: Sequence[np.ndarray],
    targets: ClassificationTargets,
    train: np.ndarray,
    rate: float,
    seed: int,
) -> torch.nn.Module:
    """Train a head on the windows of the participants in `train`."""
    import torch  # imported here, since only this protocol needs it and it takes seconds

    # For each rate again: rates differ by nothing but the rate, neither by weights nor by batches.
    torch.manual_seed(seed)
    x_WF = torch.tensor(np.concatenate([windows[row] for row in train]), dtype=torch.float32)
    y_W = torch.tensor(np.repeat(targets.codes_P[train], [len(windows[row]) for row in train]))
    linear = torch.nn.Linear(x_WF.shape[1], len(targets.class_names))
    torch.nn.init.trunc_normal_(linear.weight, std=INITIAL_STD)
    torch.nn.init.zeros_(linear.bias)
    head = torch.nn.Sequential(torch.nn.BatchNorm1d(x_WF.shape[1]), linear)
    optimiser = torch.optim.SGD(head.parameters(), rate, MOMENTUM)
    # As in the paper, but at least 2, since batch normalisation fails on a single window.
    batch = max(2, min(256, len(x_WF) // 8))
    for _ in range(EPOCHS):
        order = torch.randperm(len(x_WF))
        # The incomplete batch is dropped: batch normalisation fails on a single window.
        for picked in torch.split(order[: len(order) // batch * batch], batch):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(x_WF[picked]), y_W[picked])
            torch.autograd.backward(loss)
            optimiser.step()
    # Batch normalisation then uses its running statistics, so that a prediction does not depend
    # on which windows are scored together.
    return head.eval()


def _logits(head: torch.nn.Module, windows: Sequence[np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Mean logits over the windows of each participant, shape (participants, classes)."""
    import torch

    with torch.no_grad():
        means = [
            head(torch.tensor(windows[row], dtype=torch.float32)).mean(dim=0).numpy()
            for row in rows
        ]
    return np.stack(means).astype(float)
