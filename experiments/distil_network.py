"""Compare a network that distils connectomes with the closed form, on ABIDE.

    python -m experiments.distil_network ../shared/data --splits 3

In each random split, both are fitted to the training participants, without labels. The closed form
is the block `distilled`: ridge regression from the tangent vector of one half of a scan to the
principal components of the other half. The network sees the tangent vector of a random crop (20 s
to half of the scan), with a tenth of its components dropped, and predicts the components of the
rest of the scan. It adds two hidden layers to a linear map that starts as the closed form, and
stops at the least loss of participants who do not train it. Scored are both by themselves, the
network's hidden layer, and `full` (without the encoder) with one in the place of the other; printed
is also how much of the variance of the other half they predict in test participants.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import ShuffleSplit
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from experiments.cohorts import Cohort, load
from experiments.representations import (
    ESTIMATORS,
    TEST_FRACTION,
    Split,
    fixed_rows,
    mean_of,
    score_blocks,
)
from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.reference import Reference
from semantoks.model.connectome.distillation import fit_map, halves
from semantoks.scores.intervals import paired_difference
from semantoks.scores.linear_models.axes import block_kernel

INPUTS, TARGETS, HIDDEN = 600, 300, 512
CROPS, MIN_CROP_SECONDS = 6, 20.0
EPOCHS, PATIENCE, BATCH, RATE, DECAY, DROPPED = 80, 8, 256, 3e-4, 0.05, 0.1
VALIDATION = 0.15
Network = TypeVar("Network", bound=nn.Module)
# Features of all scans by name, and the variance that the closed form and the network explain.
RowsAndVariance: TypeAlias = tuple[dict[str, np.ndarray], list[float]]
FULL = ("coupling", "coupling_gsr", "amplitude", "spectrum")


class Residual(nn.Module):
    """A linear map that starts as the closed form, and a network beside it."""

    def __init__(self, start_KI: Tensor) -> None:
        super().__init__()
        outputs, inputs = start_KI.shape
        self.linear = nn.Linear(inputs, outputs)
        self.hidden = nn.Sequential(
            nn.LayerNorm(inputs),
            nn.Linear(inputs, HIDDEN),
            nn.GELU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.GELU(),
        )
        self.out = nn.Linear(HIDDEN, outputs)
        with torch.no_grad():
            self.linear.weight.copy_(start_KI)
            for weights in (self.linear.bias, self.out.weight, self.out.bias):
                weights.zero_()

    def forward(self, x_BI: Tensor) -> Tensor:
        """Predict the components of the rest of a scan; in training, some inputs are missing."""
        if self.training:
            x_BI = x_BI * (torch.rand_like(x_BI) > DROPPED) / (1 - DROPPED)
        predicted: Tensor = self.linear(x_BI) + self.out(self.hidden(x_BI))
        return predicted


def crops(scan: Scan, reference: Reference, rng: np.random.Generator) -> list[np.ndarray]:
    """Tangent vectors of random crops, each followed by that of the rest of the scan."""
    volumes, vectors = scan.timeseries_CT.shape[1], []
    for _ in range(CROPS):
        length = int(rng.integers(int(MIN_CROP_SECONDS / scan.tr), volumes // 2 + 1))
        start = int(rng.integers(volumes - length + 1))
        inside = np.zeros(volumes, bool)
        inside[start : start + length] = True
        vectors += [
            reference.tangent_vector(scan.timeseries_CT[:, part]) for part in (inside, ~inside)
        ]
    return vectors


def train(network: Network, inputs: Sequence[Tensor], y_RK: Tensor, scan_R: Tensor) -> Network:
    """Train a network; the last scans choose when to stop."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    chooses_R = scan_R >= int((1 - VALIDATION) * (int(scan_R.max()) + 1))
    best, kept, since = np.inf, copy.deepcopy(network), 0
    rows_R = (~chooses_R).nonzero()[:, 0]
    for _ in range(EPOCHS):
        network.train()
        for batch in rows_R[torch.randperm(len(rows_R))].split(BATCH):
            predicted = network(*(rows[batch].float() for rows in inputs))
            loss = nn.functional.mse_loss(predicted, y_RK[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        predicted = in_batches(network.eval(), [rows[chooses_R] for rows in inputs])
        value = float(nn.functional.mse_loss(predicted, y_RK[chooses_R]))
        since = 0 if value < best else since + 1
        if value < best:
            best, kept = value, copy.deepcopy(network)
        if since == PATIENCE:
            break
    return kept.eval()


def in_batches(compute: Callable[..., Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Return what is computed of all rows, a batch at a time and without gradients."""
    with torch.no_grad():
        rows = torch.arange(len(inputs[0])).split(BATCH)
        return torch.cat([compute(*(x[batch].float() for x in inputs)) for batch in rows])


def rows_of(cohort: Cohort, split: Split, seed: int) -> RowsAndVariance:
    """Features of all scans, and the explained variance of both in test participants."""
    rng = np.random.default_rng(seed)
    rows, scans = fixed_rows(cohort, {}), cohort.scans
    for name, estimator in ESTIMATORS.items():
        reference = mean_of([scans[row] for row in split.train], estimator)
        rows[name] = np.stack([reference.tangent_vector(scan.timeseries_CT) for scan in scans])
    pairs = {
        row: np.stack([reference.tangent_vector(half) for half in cut])
        for row in (*split.train, *split.test)
        if (cut := halves(scans[row].timeseries_CT, scans[row].tr))
    }
    fitted = np.concatenate([pairs[r] for r in split.train if r in pairs]).astype(np.float32)
    closed = fit_map(fitted.copy(), TARGETS, 0.3)
    # Participants who choose when to stop must have no part in the map that the network starts as.
    trained = split.train[: int((1 - VALIDATION) * len(split.train))]
    fitted = np.concatenate([pairs[r] for r in trained if r in pairs]).astype(np.float32)
    mean_F, begun = fitted.mean(axis=0), fit_map(fitted.copy(), TARGETS, 0.3)
    # Principal axes of the halves; the largest are the targets.
    values, vectors = np.linalg.eigh((fitted - mean_F) @ (fitted - mean_F).T)
    order = np.argsort(values)[::-1][:INPUTS]
    axes_FI = ((fitted - mean_F).T @ vectors[:, order] / np.sqrt(values[order])).astype(np.float32)

    def inputs(vectors_RF: np.ndarray) -> Tensor:
        return torch.from_numpy(((vectors_RF - mean_F) @ axes_FI).astype(np.float32))

    drawn = [np.stack(crops(scans[row], reference, rng)) for row in split.train]
    drawn += [pairs[row] for row in split.train if row in pairs]
    parts = inputs(np.concatenate([part[0::2] for part in drawn]))
    rest = inputs(np.concatenate([part[1::2] for part in drawn]))[:, :TARGETS]
    number = np.concatenate([np.full(len(part) // 2, n) for n, part in enumerate(drawn)])
    number[number >= len(split.train)] -= len(split.train)
    # The closed form in these coordinates; its components have fixed signs, and ours may not.
    start = torch.from_numpy(axes_FI.T @ begun.weights_FK).T
    scale = parts.std()
    signs = torch.sign((inputs(fitted) @ start.T * inputs(fitted)[:, :TARGETS]).sum(0))
    start = start * signs[:, None]
    torch.manual_seed(seed)
    network = train(Residual(start), [parts / scale], rest / scale, torch.from_numpy(number))
    whole = inputs(rows["coupling_gsr"]) / scale
    with torch.no_grad():
        rows["learned"] = network(whole).numpy()
        rows["hidden"] = network.hidden(whole).numpy()
        rows["distilled"] = np.stack([closed(row) for row in rows["coupling_gsr"]])
        rows["components"] = (rows["coupling_gsr"] - closed.mean_F) @ closed.weights_FK
        tested = np.stack([pairs[row] for row in split.test if row in pairs])
        one, other = (inputs(tested[:, side]) / scale for side in (0, 1))
        predictions = (one @ start.T, network(one))
        total = float((other[:, :TARGETS] ** 2).sum())
        explained = [1 - float(((other[:, :TARGETS] - p) ** 2).sum()) / total for p in predictions]
    return rows, explained


def scores_of(cohort: Cohort, rows: Mapping[str, np.ndarray], split: Split) -> dict[str, float]:
    """Mean score over the phenotypes of each combination."""
    table = dict[str, list[float]]()
    for phenotype, kind in cohort.phenotypes.items():
        values = cohort.participants[phenotype]
        known = values.notna().to_numpy()
        train_rows, test = split.train[known[split.train]], split.test[known[split.test]]
        kernels = {
            name: block_kernel(rows[name][train_rows], rows[name][test])
            for name in (*FULL, "distilled", "components", "learned", "hidden")
        }
        combinations = {
            "closed form": ["distilled"],
            # As the network's: the probe z-scores components, and so gives each the same weight.
            "closed form, z-scored": ["components"],
            "network": ["learned"],
            "network, hidden layer": ["hidden"],
            "full with the closed form": [*FULL, "distilled"],
            "full with the network": [*FULL, "learned"],
            "full without either": list(FULL),
        }
        for name, blocks in combinations.items():
            score = score_blocks(values, kind, kernels, blocks, train_rows, test)[1]
            table.setdefault(name, []).append(score)
    return {name: float(np.mean(scores)) for name, scores in table.items()}


def print_differences(results: list[dict[str, float]], explained: list[list[float]]) -> None:
    """Print means over splits, and paired intervals of the network minus the closed form."""
    table = pd.DataFrame(results)
    ratio = TEST_FRACTION / (1 - TEST_FRACTION)
    for one, other in (
        ("network", "closed form"),
        ("full with the network", "full with the closed form"),
    ):
        test = paired_difference(table[one].to_list(), table[other].to_list(), ratio)
        print(
            f"{one} minus {other}: {test['mean']:+.4f} ({test['low']:+.4f} to {test['high']:+.4f})"
        )
    print(table.mean().round(4).to_string())
    print("explained variance, closed form and network:", np.mean(explained, axis=0).round(4))


def compare(
    source: Path, splits: int, rows_of: Callable[[Cohort, Split, int], RowsAndVariance]
) -> None:
    """Fit both on random splits of ABIDE, and print their scores."""
    torch.set_num_threads(1)
    cohort = load("abide", source)
    people = np.arange(len(cohort.scans))
    drawn = ShuffleSplit(splits, test_size=TEST_FRACTION, random_state=0).split(people)
    results, explained = list[dict[str, float]](), list[list[float]]()
    with threadpool_limits(1, user_api="blas"):
        for number, parts in enumerate(drawn):
            split = Split(f"random {number:02d}", "random", *parts)
            rows, variance = rows_of(cohort, split, number)
            results.append(scores_of(cohort, rows, split))
            explained.append(variance)
            print(split.name, variance, results[-1], flush=True)
    print_differences(results, explained)


def arguments(description: str) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("source", type=Path, help="folder of the shared data")
    parser.add_argument("--splits", type=int, default=3)
    return parser.parse_args()


def main() -> None:
    """Compare both on random splits."""
    chosen = arguments(__doc__.split("\n")[0])
    compare(chosen.source, chosen.splits, rows_of)


if __name__ == "__main__":
    main()
