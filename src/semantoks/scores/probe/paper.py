"""The protocol of the paper: an SGD head on windows, its learning rate chosen by validation.

Source: arXiv 2512.11582. Batch normalisation and a linear layer, momentum 0.9, no weight decay, 50
epochs, cross-entropy; windows are training samples, logits are averaged per person.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.problem import Job, Problem
from semantoks.scores.probe.score import scored

RATES = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
EPOCHS, MOMENTUM, INITIAL = 50, 0.9, 2e-5
log = logging.getLogger(__name__)


def score_windows(
    problem: Problem, windows: Sequence[np.ndarray], settings: Probe
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score a representation with the protocol of the paper.

    Parameters
    ----------
    problem
        A classification, or a number that is cut into bins.
    windows : sequence of ndarray, shape (windows, features)
        Of each person, in the order of the problem.
    settings

    Returns
    -------
    scores, predictions : DataFrame
        As `semantoks.scores.probe.score.score` gives them; ``strength`` is the learning rate.
    """
    if problem.kind == "regression":
        raise UserError(
            f"Phenotype '{problem.about['phenotype']}' is a number, and `probe.protocol: paper` "
            "classifies. Cut it into classes with `bins`, as the paper does."
        )
    jobs = [j for j in problem.jobs(settings) if j.fraction == 1 and len(j.validation)]
    if not jobs:
        raise UserError(
            f"Phenotype '{problem.about['phenotype']}' has no split with people to validate on, "
            "which `probe.protocol: paper` needs. Raise splits.validation_fraction."
        )
    rows, predictions = list[dict[str, Any]](), list[pd.DataFrame]()
    for seed, job in enumerate(jobs):
        codes, names = problem.values(job.train)
        probabilities, rate = _fit(windows, codes, len(names), job, seed)
        row, table = scored(problem, job, probabilities, names)
        rows.append(row | {"strength": rate})
        predictions.append(table)
        log.info("%d of %d fits", seed + 1, len(jobs))
    return pd.DataFrame(rows), pd.concat(predictions, ignore_index=True)


def _fit(
    windows: Sequence[np.ndarray], codes: np.ndarray, classes: int, job: Job, seed: int
) -> tuple[np.ndarray, float]:
    """Train at every rate; probabilities of the tested people at the one that validates best."""
    if not windows[0].shape[1]:  # no features: chance
        return np.full((len(job.test), classes), 1 / classes), 0.0
    train = np.setdiff1d(job.train, job.validation)
    windows = _without_unknown(windows, train)
    best: tuple[float, np.ndarray, float] = (-1.0, np.empty(0), 0.0)
    for rate in RATES:
        logits = _train(windows, codes, classes, train, rate, seed)
        chosen = logits(job.validation).argmax(axis=1)
        truth = codes[job.validation]
        accuracy = float(np.mean([(chosen[truth == k] == k).mean() for k in np.unique(truth)]))
        if accuracy > best[0]:
            scores = logits(job.test)
            exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
            best = accuracy, exponents / exponents.sum(axis=1, keepdims=True), rate
    return best[1], best[2]


def _without_unknown(windows: Sequence[np.ndarray], train: np.ndarray) -> list[np.ndarray]:
    """Put the mean of the training windows where nothing is known."""
    known = np.concatenate([windows[person] for person in train])
    count = np.maximum(np.isfinite(known).sum(axis=0), 1)
    mean = np.where(np.isfinite(known), known, 0).sum(axis=0) / count
    return [np.where(np.isfinite(part), part, mean) for part in windows]


def _train(
    windows: Sequence[np.ndarray],
    codes: np.ndarray,
    classes: int,
    train: np.ndarray,
    rate: float,
    seed: int,
) -> Any:
    """Train a head; returns a function from row numbers of people to their mean logits."""
    import torch  # only this protocol needs it

    torch.manual_seed(seed)
    x_WF = torch.tensor(np.concatenate([windows[p] for p in train]), dtype=torch.float32)
    y_W = torch.tensor(np.repeat(codes[train], [len(windows[p]) for p in train]))
    linear = torch.nn.Linear(x_WF.shape[1], classes)
    torch.nn.init.trunc_normal_(linear.weight, std=INITIAL)
    torch.nn.init.zeros_(linear.bias)
    head = torch.nn.Sequential(torch.nn.BatchNorm1d(x_WF.shape[1]), linear)
    optimiser = torch.optim.SGD(head.parameters(), rate, MOMENTUM)
    batch = max(2, min(256, len(x_WF) // 8))
    for _ in range(EPOCHS):
        order = torch.randperm(len(x_WF))
        for picked in torch.split(order[: len(order) // batch * batch], batch):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(head(x_WF[picked]), y_W[picked])
            torch.autograd.backward(loss)
            optimiser.step()
    head.eval()

    @torch.no_grad()
    def logits(people: np.ndarray) -> np.ndarray:
        means = [
            head(torch.tensor(windows[p], dtype=torch.float32)).mean(dim=0).numpy() for p in people
        ]
        return np.stack(means).astype(float)

    return logits
