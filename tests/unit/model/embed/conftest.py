"""A small encoder and random time series."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import SIZES, make_manifest


@pytest.fixture
def encoder() -> Encoder:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Encoder(SIZES, ("a", "b", "a", "b")).eval()
    model.manifest = make_manifest()
    return model


def make_timeseries(volumes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(4, volumes)).astype(np.float32)
