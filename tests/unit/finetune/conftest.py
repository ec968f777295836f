"""Small encoders, and people whose regions are slow or fast."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.artifacts.timeseries import Scan
from semantoks.artifacts.zscores import zscore
from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import SIZES

REGIONS = 6  # of each of two networks


@pytest.fixture
def encoder() -> Encoder:
    """An untrained encoder."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    networks = ("a",) * REGIONS + ("b",) * REGIONS
    return Encoder(SIZES, networks).eval().requires_grad_(False)


def simulated(fast_PC: np.ndarray, seed: int = 0) -> list[Scan]:
    """One scan of each participant, of 15 to 80 volumes, with a fast or slow wave per region."""
    rng = np.random.default_rng(seed)
    scans = []
    for row, fast_C in enumerate(fast_PC):
        volumes = int(rng.integers(15, 80))
        phase_C1 = rng.uniform(0, 2 * np.pi, (len(fast_C), 1))
        cycles_C1 = np.where(fast_C, 0.25, 0.06)[:, None]
        waves_CT = np.sin(2 * np.pi * cycles_C1 * np.arange(volumes) + phase_C1)
        noisy_CT = waves_CT + 0.5 * rng.standard_normal(waves_CT.shape)
        name = f"sub-{row:04d}"
        scans.append(Scan(name, name, "", "", "", 2.0, zscore(noisy_CT).astype(np.float32)))
    return scans
