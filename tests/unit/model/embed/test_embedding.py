"""Windows of a scan and their embedding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.model.embed.embedding import embed_windows
from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import WIDTH
from tests.unit.model.embed.conftest import make_timeseries


def test_windows_are_evenly_spaced(encoder: Encoder) -> None:
    x_CT = make_timeseries(55)
    windows = torch.from_numpy(np.stack([x_CT[:, s : s + 20] for s in range(0, 36, 5)]))
    expected = encoder.embed(windows).mean(0).detach()
    np.testing.assert_allclose(embed_windows(encoder, x_CT).mean(axis=0), expected, atol=1e-6)


@pytest.mark.parametrize(("volumes", "used"), [(20, 20), (19, 10), (10, 10)])
def test_short_scans_use_one_shorter_window(encoder: Encoder, volumes: int, used: int) -> None:
    x_CT = make_timeseries(volumes)
    starts = sorted({round(s) for s in np.linspace(0, volumes - used, 8)})
    windows = torch.from_numpy(np.stack([x_CT[:, s : s + used] for s in starts]))
    expected = encoder.embed(windows).mean(0).detach()
    np.testing.assert_allclose(embed_windows(encoder, x_CT).mean(axis=0), expected, atol=1e-6)


def test_missing_regions_have_finite_features(encoder: Encoder) -> None:
    for missing in ([0], [0, 2]):
        x_CT = make_timeseries(40)
        x_CT[missing] = np.nan
        assert np.isfinite(embed_windows(encoder, x_CT)).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scan_without_data_has_no_embedding(encoder: Encoder, value: float) -> None:
    """Its tokens would all be the mask's, and its embedding that of an average scan."""
    x_CT = make_timeseries(40)
    x_CT[:, 3] = value
    without_the_first = embed_windows(encoder, x_CT)
    assert without_the_first.shape == (6, 2 * WIDTH) and np.isfinite(without_the_first).all()
    x_CT[:, ::5] = value
    embedding = embed_windows(encoder, x_CT)
    assert embedding.shape == (1, 2 * WIDTH) and np.isnan(embedding).all()
