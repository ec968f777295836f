"""Time series of four regions, and an atlas that names them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.data.atlas.atlas import Atlas
from semantoks.data.parcellate.readers.timeseries import read_timeseries
from semantoks.data.parcellate.regional_means import RegionalMeans

NAMES = ["7Networks_LH_Vis_1", "7Networks_RH_Vis_1", "HIP-rh", "Network1"]


@pytest.fixture
def named_atlas() -> Atlas:
    regions = pd.DataFrame(
        {"index": [11, 12, 30, 41], "name": NAMES, "network": ["Vis", "Vis", "Sub", "Cer"]}
    )
    return Atlas("toy", None, regions, "MNI152NLin6Asym", "0" * 64)


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(30, 4))


def read(
    path: Path, atlas: Atlas, tr: float = 2.0, names: list[str] | None = None
) -> RegionalMeans:
    return read_timeseries(path, "sub-01", atlas, tr, names)
