"""Compare an encoder over tokens of networks and pairs with the closed form, on ABIDE.

    python -m experiments.distil_tokens ../shared/data --splits 3

As `experiments.distil_network`, with another network beside the linear map that starts as the
closed form: a transformer that attends over one token per pair of networks (their part of the
tangent vector of the crop), one per network and 20 s of the crop (its time series), and [CLS].
Networks and pairs are missing at random while it trains. It predicts the principal components of
the tangent vector of the rest of the scan.
"""

from __future__ import annotations

import argparse
import copy
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import ShuffleSplit
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from experiments.cohorts import Cohort, load
from experiments.distil_network import (
    BATCH,
    CROPS,
    DECAY,
    EPOCHS,
    MIN_CROP_SECONDS,
    PATIENCE,
    RATE,
    TARGETS,
    VALIDATION,
    print_differences,
    scores_of,
)
from experiments.representations import (
    ESTIMATORS,
    TEST_FRACTION,
    Split,
    fixed_rows,
    mean_of,
)
from semantoks.connectivity.reference import Reference
from semantoks.model.connectome.distillation import fit_map

WIDTH, DEPTH, HEADS, PATCH, PATCHES, MISSING = 96, 3, 4, 10, 6, 0.1


class TokenNetwork(nn.Module):
    """The closed form, and an encoder over tokens of networks and pairs beside it.

    Parameters
    ----------
    network_C : ndarray of int, shape (regions,)
        Number of the network of each region.
    closed_KF : Tensor, shape (targets, features)
        Map from tangent vectors to components.
    """

    def __init__(self, network_C: np.ndarray, closed_KF: Tensor) -> None:
        super().__init__()
        row_F, column_F = (network_C[index] for index in np.triu_indices(len(network_C)))
        low_F, high_F = np.minimum(row_F, column_F), np.maximum(row_F, column_F)
        networks = range(network_C.max() + 1)
        self.pairs = [
            torch.from_numpy(np.flatnonzero((low_F == i) & (high_F == j)))
            for i, j in combinations_with_replacement(networks, 2)
        ]
        self.regions = [torch.from_numpy(np.flatnonzero(network_C == i)) for i in networks]
        self.linear = nn.Linear(closed_KF.shape[1], len(closed_KF))
        self.of_pair = nn.ModuleList(nn.Linear(len(pair), WIDTH) for pair in self.pairs)
        self.of_patch = nn.ModuleList(nn.Linear(PATCH * len(r), WIDTH) for r in self.regions)
        self.position = nn.Parameter(torch.randn(PATCHES, WIDTH) * 0.02)
        self.cls = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 2 * WIDTH, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, DEPTH, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(2 * WIDTH)
        self.out = nn.Linear(2 * WIDTH, len(closed_KF))
        with torch.no_grad():
            self.linear.weight.copy_(closed_KF)
            for weights in (self.linear.bias, self.out.weight, self.out.bias):
                weights.zero_()

    def hidden(self, tangent_BF: Tensor, patches_BPCV: Tensor) -> Tensor:
        """Return [CLS] beside the mean of all tokens."""
        pairs = [f(tangent_BF[:, p]) for f, p in zip(self.of_pair, self.pairs, strict=True)]
        of_networks = [
            f(patches_BPCV[:, :, r].flatten(2)) + self.position
            for f, r in zip(self.of_patch, self.regions, strict=True)
        ]
        tokens = torch.cat([torch.stack(pairs, 1), *of_networks], 1)
        # A crop shorter than all patches has empty ones, which nothing may attend to.
        empty_BP = (patches_BPCV == 0).flatten(2).all(2)
        missing = torch.cat(
            [torch.zeros(len(tokens), len(pairs), dtype=torch.bool)]
            + [empty_BP] * len(self.regions),
            1,
        )
        if self.training:
            missing |= torch.rand(missing.shape) < MISSING
        tokens = torch.cat([self.cls.expand(len(tokens), -1, -1), tokens], 1)
        missing = torch.cat([torch.zeros(len(tokens), 1, dtype=torch.bool), missing], 1)
        encoded = self.encoder(tokens, src_key_padding_mask=missing)
        present = (~missing)[:, 1:, None]
        mean = (encoded[:, 1:] * present).sum(1) / present.sum(1)
        hidden: Tensor = self.norm(torch.cat([encoded[:, 0], mean], 1))
        return hidden

    def forward(self, tangent_BF: Tensor, patches_BPCV: Tensor) -> Tensor:
        """Predict the components of the rest of a scan."""
        predicted: Tensor = self.linear(tangent_BF) + self.out(
            self.hidden(tangent_BF, patches_BPCV)
        )
        return predicted


def patches(series_CT: np.ndarray) -> np.ndarray:
    """Cut evenly spaced patches, of shape (PATCHES, regions, PATCH); missing ones are zero."""
    cut = np.zeros((PATCHES, len(series_CT), PATCH), np.float16)
    volumes = series_CT.shape[1]
    number = min(PATCHES, volumes // PATCH)
    for n, start in enumerate(np.linspace(0, volumes - PATCH, number).astype(int)):
        cut[n] = np.nan_to_num(series_CT[:, start : start + PATCH])
    return cut


def crops(
    series_CT: np.ndarray, tr: float, reference: Reference, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Tangent vector and patches of random crops and both halves, and the vector of the rest."""
    volumes = series_CT.shape[1]
    bounds = [(0, volumes // 2), (volumes // 2, volumes)]
    for _ in range(CROPS):
        length = int(rng.integers(int(MIN_CROP_SECONDS / tr), volumes // 2 + 1))
        start = int(rng.integers(volumes - length + 1))
        bounds.append((start, start + length))
    drawn = []
    for start, stop in bounds:
        inside = np.zeros(volumes, bool)
        inside[start:stop] = True
        part, rest = (reference.tangent_vector(series_CT[:, side]) for side in (inside, ~inside))
        drawn.append((part.astype(np.float32), patches(series_CT[:, inside]), rest))
    return drawn


def train(
    network: TokenNetwork, inputs: tuple[Tensor, Tensor], y_RK: Tensor, scan_R: Tensor
) -> TokenNetwork:
    """Train the network; the last scans choose when to stop."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    chooses_R = scan_R >= int((1 - VALIDATION) * (int(scan_R.max()) + 1))
    best, kept, since = np.inf, copy.deepcopy(network), 0
    rows_R = (~chooses_R).nonzero()[:, 0]
    for _ in range(EPOCHS):
        network.train()
        for batch in rows_R[torch.randperm(len(rows_R))].split(BATCH):
            predicted = network(inputs[0][batch], inputs[1][batch].float())
            loss = nn.functional.mse_loss(predicted, y_RK[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        predicted = in_batches(network, inputs[0][chooses_R], inputs[1][chooses_R])
        value = float(nn.functional.mse_loss(predicted, y_RK[chooses_R]))
        since = 0 if value < best else since + 1
        if value < best:
            best, kept = value, copy.deepcopy(network)
        if since == PATIENCE:
            break
    return kept.eval()


def in_batches(
    network: TokenNetwork, tangent_RF: Tensor, patches_RPCV: Tensor, hidden: bool = False
) -> Tensor:
    """Return what the network predicts, or its hidden layer."""
    network.eval()
    compute = network.hidden if hidden else network
    with torch.no_grad():
        batches = zip(tangent_RF.split(BATCH), patches_RPCV.split(BATCH), strict=True)
        return torch.cat([compute(tangent, cut.float()) for tangent, cut in batches])


def rows_of(
    cohort: Cohort, network_C: np.ndarray, split: Split, seed: int
) -> tuple[dict[str, np.ndarray], list[float]]:
    """Features of all scans, and the explained variance of both in test participants."""
    rng = np.random.default_rng(seed)
    rows, scans = fixed_rows(cohort, {}), cohort.scans
    for name, estimator in ESTIMATORS.items():
        reference = mean_of([scans[row] for row in split.train], estimator)
        rows[name] = np.stack([reference.tangent_vector(scan.timeseries_CT) for scan in scans])
    drawn = [crops(scans[row].timeseries_CT, scans[row].tr, reference, rng) for row in split.train]
    halves = np.concatenate([[d[0][0], d[1][0]] for d in drawn])
    closed = fit_map(halves.copy(), TARGETS, 0.3)
    mean_F = torch.from_numpy(closed.mean_F.astype(np.float32))
    closed_KF = torch.from_numpy(closed.weights_FK.T.astype(np.float32))
    # The targets: principal components of the halves, in the order and with the signs of the map.
    values, vectors = np.linalg.eigh((halves - mean_F.numpy()) @ (halves - mean_F.numpy()).T)
    order = np.argsort(values)[::-1][:TARGETS]
    axes_FK = torch.from_numpy(
        ((halves - mean_F.numpy()).T @ vectors[:, order] / np.sqrt(values[order])).astype(
            np.float32
        )
    )
    centred = torch.from_numpy(halves) - mean_F
    axes_FK *= torch.sign(((centred @ closed_KF.T) * (centred @ axes_FK)).sum(0))

    tangent = torch.from_numpy(np.stack([part for d in drawn for part, _, _ in d])) - mean_F
    cut = torch.from_numpy(np.stack([cut for d in drawn for _, cut, _ in d]))
    rest = np.stack([rest for d in drawn for _, _, rest in d]).astype(np.float32)
    y = (torch.from_numpy(rest) - mean_F) @ axes_FK
    scale, size = tangent.std(), y.std()
    number = torch.arange(len(drawn)).repeat_interleave(CROPS + 2)
    torch.manual_seed(seed)
    network = TokenNetwork(network_C, closed_KF * scale / size)
    network = train(network, (tangent / scale, cut), y / size, number)

    whole = torch.from_numpy(rows["coupling_gsr"].astype(np.float32)) - mean_F
    cuts = torch.from_numpy(np.stack([patches(scan.timeseries_CT) for scan in scans]))
    rows["learned"] = in_batches(network, whole / scale, cuts).numpy()
    rows["hidden"] = in_batches(network, whole / scale, cuts, hidden=True).numpy()
    rows["distilled"] = np.stack([closed(row) for row in rows["coupling_gsr"]])
    rows["components"] = (whole @ closed_KF.T).numpy()
    tested = [crops(scans[r].timeseries_CT, scans[r].tr, reference, rng)[0] for r in split.test]
    part = torch.from_numpy(np.stack([part for part, _, _ in tested])) - mean_F
    cut = torch.from_numpy(np.stack([cut for _, cut, _ in tested]))
    rest = np.stack([rest for _, _, rest in tested]).astype(np.float32)
    other = (torch.from_numpy(rest) - mean_F) @ axes_FK / size
    predictions = part @ closed_KF.T / size, in_batches(network, part / scale, cut)
    total = float((other**2).sum())
    return rows, [1 - float(((other - p) ** 2).sum()) / total for p in predictions]


def main() -> None:
    """Compare both on random splits."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of the shared data")
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="number of the first split")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    cohort = load("abide", chosen.source)
    names = pd.read_csv(chosen.source / "abide1_cc200/rois.tsv", sep="\t")["network"]
    network_C = pd.factorize(names)[0]
    people, last = np.arange(len(cohort.scans)), chosen.first + chosen.splits
    drawn = ShuffleSplit(last, test_size=TEST_FRACTION, random_state=0).split(people)
    results, explained = list[dict[str, float]](), list[list[float]]()
    with threadpool_limits(1, user_api="blas"):
        for number, parts in list(enumerate(drawn))[chosen.first :]:
            split = Split(f"random {number:02d}", "random", *parts)
            rows, variance = rows_of(cohort, network_C, split, number)
            results.append(scores_of(cohort, rows, split))
            explained.append(variance)
            print(split.name, variance, results[-1], flush=True)
    print_differences(results, explained)


if __name__ == "__main__":
    main()
