"""The protocol of the paper: an SGD head on windows, its learning rate chosen by validation.

Batch normalisation and a linear layer, momentum 0.9, no weight decay, 50 epochs, cross-entropy.
Windows are training samples, and validation counts them one by one; only of test participants the
logits are averaged. Source: arXiv 2512.11582 and `linear_probe.py` of its authors
(https://github.com/SamGijsen/Brain-Semantoks).

Legend: W windows, F features, H test participants, K classes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
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
EPOCHS, MOMENTUM, INITIAL_STD, MAX_BATCH = 50, 0.9, 2e-5, 256
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
        # It has validation participants in place of inner folds.
        chosen = {"strength": rate, "inner_loss": float("nan")}
        rows.append(row | chosen | {"validation_people": len(partition.validation)})
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
        "classifies. Bin it into classes with `bins`, as the paper does, or with `edges`."
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
    heads = (_train(windows, targets, train, rate, seed) for rate in LEARNING_RATES)
    head, rate = choose_head(heads, windows, targets, partition.validation)
    logits_HK = _mean_logits(head, windows, partition.test)
    # Softmax; without the maximum, large logits overflow.
    exponents = np.exp(logits_HK - logits_HK.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True), rate


def choose_head(
    heads: Iterable[torch.nn.Module],
    windows: Sequence[np.ndarray],
    targets: ClassificationTargets,
    validation: np.ndarray,
) -> tuple[torch.nn.Module, float]:
    """Choose the head with the best balanced accuracy over the validation windows.

    Each window counts by itself, as in the code of the paper's authors: a participant of whom most
    windows are right is not all right, as after averaging.

    Parameters
    ----------
    heads : iterable of Module
        One per learning rate, in the order of `LEARNING_RATES`.
    windows : sequence of ndarray, shape (windows, features)
        Of each participant.
    targets : ClassificationTargets
        Of all participants.
    validation : ndarray of int
        Row numbers of the validation participants.

    Returns
    -------
    head : Module
    rate : float
        Of equal scores the first, and so the highest, learning rate.
    """
    best: tuple[float, torch.nn.Module, float] | None = None
    for rate, head in zip(LEARNING_RATES, heads, strict=True):
        accuracy = _window_accuracy(head, windows, targets, validation)
        if best is None or accuracy > best[0]:
            best = accuracy, head, rate
    assert best is not None  # there are learning rates
    return best[1], best[2]


def _window_accuracy(
    head: torch.nn.Module,
    windows: Sequence[np.ndarray],
    targets: ClassificationTargets,
    rows: np.ndarray,
) -> float:
    """Balanced accuracy over the windows of some participants."""
    parts = [_logits(head, windows[row]).argmax(axis=1) for row in rows]
    predicted_W, truth_W = np.concatenate(parts), _repeated(targets, windows, rows)
    return float(np.mean([(predicted_W[truth_W == c] == c).mean() for c in np.unique(truth_W)]))


def _repeated(
    targets: ClassificationTargets, windows: Sequence[np.ndarray], rows: np.ndarray
) -> np.ndarray:
    """Class code of each window of some participants."""
    return np.repeat(targets.codes_P[rows], [len(windows[row]) for row in rows])


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
    y_W = torch.tensor(_repeated(targets, windows, train))
    linear = torch.nn.Linear(x_WF.shape[1], len(targets.class_names))
    # Its bias stays at PyTorch's initial values, as in the paper's code.
    torch.nn.init.trunc_normal_(linear.weight, std=INITIAL_STD)
    head = torch.nn.Sequential(torch.nn.BatchNorm1d(x_WF.shape[1]), linear)
    optimiser = torch.optim.SGD(head.parameters(), rate, MOMENTUM)
    for _ in range(EPOCHS):
        for picked in batches(torch.randperm(len(x_WF))):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(x_WF[picked]), y_W[picked])
            torch.autograd.backward(loss)
            optimiser.step()
    # Batch normalisation then uses its running statistics, so that a prediction does not depend
    # on which windows are scored together.
    return head.eval()


def batches(order: torch.Tensor) -> list[torch.Tensor]:
    """Cut the windows of an epoch into batches, the last of which may be smaller.

    The size is that of the paper, at most 256 and an eighth of the windows, but at least 2. A last
    batch of a single window is left out, because batch normalisation cannot train on it (PyTorch
    raises an error, on which the code of the paper's authors ends).

    Parameters
    ----------
    order : Tensor of int, shape (windows,)
        Window numbers in random order.
    """
    import torch

    parts = list(torch.split(order, max(2, min(MAX_BATCH, len(order) // 8))))
    return parts[:-1] if len(parts) > 1 and len(parts[-1]) == 1 else parts


def _logits(head: torch.nn.Module, windows_WF: np.ndarray) -> np.ndarray:
    """Logits of windows, shape (windows, classes)."""
    import torch

    with torch.no_grad():
        return np.asarray(head(torch.tensor(windows_WF, dtype=torch.float32)).numpy())


def _mean_logits(
    head: torch.nn.Module, windows: Sequence[np.ndarray], rows: np.ndarray
) -> np.ndarray:
    """Mean logits over the windows of each participant, shape (participants, classes)."""
    return np.stack([_logits(head, windows[row]).mean(axis=0) for row in rows]).astype(float)
