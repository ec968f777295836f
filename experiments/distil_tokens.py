"""Compare an encoder over tokens of networks and pairs with the closed form, on ABIDE.

    python -m experiments.distil_tokens ../shared/data --splits 3

As `experiments.distil_network`, with another network beside the linear map that starts as the
closed form: a transformer that attends over one token per pair of networks (their part of the
tangent vector of the crop), one per network and 20 s of the crop (its time series), and [CLS],
which is told how long the crop is. Networks and pairs are missing at random while it trains. It
predicts the principal components of the tangent vector of the rest of the scan.
"""

from __future__ import annotations

from functools import partial
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from experiments.cohorts import Cohort
from experiments.distil_network import (
    CROPS,
    MIN_CROP_SECONDS,
    TARGETS,
    VALIDATION,
    RowsAndVariance,
    arguments,
    compare,
    in_batches,
    train,
)
from experiments.representations import (
    ESTIMATORS,
    Split,
    fixed_rows,
    mean_of,
)
from semantoks.connectivity.reference import Reference
from semantoks.model.connectome.distillation import fit_map

WIDTH, DEPTH, HEADS, PATCH, PATCHES, MISSING = 96, 3, 4, 10, 6, 0.1


class Crop(NamedTuple):
    """What the network sees of a scan, and the tangent vector of the rest."""

    tangent_F: np.ndarray
    patches_PCV: np.ndarray
    length: float
    rest_F: np.ndarray


class Inputs(NamedTuple):
    """Rows of the network's inputs."""

    tangent: Tensor
    patches: Tensor
    length: Tensor


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
        self.of_length, self.gate = nn.Linear(1, WIDTH), nn.Linear(1, 1)
        layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 2 * WIDTH, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, DEPTH, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(2 * WIDTH)
        self.out = nn.Linear(2 * WIDTH, len(closed_KF))
        with torch.no_grad():
            self.linear.weight.copy_(closed_KF)
            for module in (self.out, self.gate):
                module.weight.zero_()
                module.bias.zero_()
            self.linear.bias.zero_()
        # A step of the optimizer is as large as its weights, one per feature, and would end it.
        self.linear.requires_grad_(False)

    def hidden(self, tangent_BF: Tensor, patches_BPCV: Tensor, length_B1: Tensor) -> Tensor:
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
        cls = self.cls + self.of_length(length_B1)[:, None]
        tokens = torch.cat([cls, tokens], 1)
        missing = torch.cat([torch.zeros(len(tokens), 1, dtype=torch.bool), missing], 1)
        encoded = self.encoder(tokens, src_key_padding_mask=missing)
        present = (~missing)[:, 1:, None]
        mean = (encoded[:, 1:] * present).sum(1) / present.sum(1)
        hidden: Tensor = self.norm(torch.cat([encoded[:, 0], mean], 1))
        return hidden

    def forward(self, tangent_BF: Tensor, patches_BPCV: Tensor, length_B1: Tensor) -> Tensor:
        """Predict the components of the rest of a scan."""
        linear = self.linear(tangent_BF) * self.gate(length_B1).exp()
        predicted: Tensor = linear + self.out(self.hidden(tangent_BF, patches_BPCV, length_B1))
        return predicted


def log_length(volumes: int, whole: int) -> float:
    """Log of the length of a crop; nothing is longer than half a scan in training."""
    return float(np.log(min(volumes, whole // 2) / 100))


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
) -> list[Crop]:
    """Draw random crops, after both halves."""
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
        length = log_length(stop - start, volumes)
        drawn.append(Crop(part.astype(np.float32), patches(series_CT[:, inside]), length, rest))
    return drawn


def inputs_of(drawn: list[Crop], mean_F: Tensor, scale: Tensor) -> Inputs:
    """Return what the network is given."""
    tangent = torch.from_numpy(np.stack([crop.tangent_F for crop in drawn])) - mean_F
    cut = torch.from_numpy(np.stack([crop.patches_PCV for crop in drawn]))
    length = torch.tensor([[crop.length] for crop in drawn])
    return Inputs(tangent / scale, cut, length)


def rows_of(network_C: np.ndarray, cohort: Cohort, split: Split, seed: int) -> RowsAndVariance:
    """Features of all scans, and the explained variance of both in test participants."""
    rng = np.random.default_rng(seed)
    rows, scans = fixed_rows(cohort, {}), cohort.scans
    for name, estimator in ESTIMATORS.items():
        reference = mean_of([scans[row] for row in split.train], estimator)
        rows[name] = np.stack([reference.tangent_vector(scan.timeseries_CT) for scan in scans])
    drawn = [crops(scans[row].timeseries_CT, scans[row].tr, reference, rng) for row in split.train]
    halves = np.stack([crop.tangent_F for d in drawn for crop in d[:2]])
    closed = fit_map(halves.copy(), TARGETS, 0.3)
    # Participants who choose when to stop must have no part in the map that the network starts as.
    halves = halves[: 2 * int((1 - VALIDATION) * len(drawn))]
    begun = fit_map(halves.copy(), TARGETS, 0.3)
    mean_F = torch.from_numpy(begun.mean_F.astype(np.float32))
    closed_KF = torch.from_numpy(begun.weights_FK.T.astype(np.float32))
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

    every = [crop for d in drawn for crop in d]
    rest = np.stack([crop.rest_F for crop in every]).astype(np.float32)
    y = (torch.from_numpy(rest) - mean_F) @ axes_FK
    scale, size = centred.std(), y.std()
    number = torch.arange(len(drawn)).repeat_interleave(CROPS + 2)
    torch.manual_seed(seed)
    network = TokenNetwork(network_C, closed_KF * scale / size)
    network = train(network, inputs_of(every, mean_F, scale), y / size, number)

    whole = torch.from_numpy(rows["coupling_gsr"].astype(np.float32)) - mean_F
    cuts = torch.from_numpy(np.stack([patches(scan.timeseries_CT) for scan in scans]))
    volumes = [scan.timeseries_CT.shape[1] for scan in scans]
    lengths = torch.tensor([[log_length(number, number)] for number in volumes])
    inputs = Inputs(whole / scale, cuts, lengths)
    rows["learned"] = in_batches(network, inputs).numpy()
    rows["hidden"] = in_batches(network.hidden, inputs).numpy()
    rows["distilled"] = np.stack([closed(row) for row in rows["coupling_gsr"]])
    rows["components"] = (rows["coupling_gsr"] - closed.mean_F) @ closed.weights_FK
    tested = [crops(scans[r].timeseries_CT, scans[r].tr, reference, rng)[0] for r in split.test]
    inputs = inputs_of(tested, mean_F, scale)
    rest = np.stack([crop.rest_F for crop in tested]).astype(np.float32)
    other = (torch.from_numpy(rest) - mean_F) @ axes_FK / size
    predictions = (
        inputs.tangent * scale @ closed_KF.T / size,
        in_batches(network, inputs),
    )
    total = float((other**2).sum())
    return rows, [1 - float(((other - p) ** 2).sum()) / total for p in predictions]


def main() -> None:
    """Compare both on random splits."""
    chosen = arguments(__doc__.split("\n")[0])
    names = pd.read_csv(chosen.source / "abide1_cc200/rois.tsv", sep="\t")["network"]
    network_C = pd.factorize(names)[0]
    compare(chosen.source, chosen.splits, partial(rows_of, network_C))


if __name__ == "__main__":
    main()
