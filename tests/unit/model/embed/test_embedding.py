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


@pytest.mark.parametrize(("volumes", "patches"), [(19, 2), (11, 2), (10, 1), (9, 1), (1, 1)])
def test_short_scans_are_padded_and_the_padding_masked(
    encoder: Encoder, volumes: int, patches: int
) -> None:
    """By hand: zeros behind the data, the mask embedding in patches without data, no part in means.

    The encoder has 2 patches of 10 volumes.
    """
    x_CT = make_timeseries(volumes)
    padded = torch.zeros(1, len(x_CT), 20)
    padded[0, :, :volumes] = torch.from_numpy(x_CT)
    hidden = torch.zeros(1, len(encoder.order), 2, dtype=torch.bool)
    hidden[:, :, patches:] = True
    output = encoder(padded, hidden)
    tokens = output.tokens_BLD.view(len(encoder.order), 2, -1)[:, :patches]
    pooled = torch.cat([tokens.flatten(0, 1).mean(0), output.cls_BD[0]]).detach()
    np.testing.assert_allclose(embed_windows(encoder, x_CT)[0], pooled, atol=1e-6)
    networks = tokens.mean(1).flatten().detach()
    np.testing.assert_allclose(embed_windows(encoder, x_CT, "networks")[0], networks, atol=1e-6)


def test_what_is_in_the_padding_changes_nothing(encoder: Encoder) -> None:
    """Masked tokens depend on their position only, whatever the patch holds."""
    x_BCT = torch.from_numpy(make_timeseries(20))[None]
    other_BCT = x_BCT.clone()
    other_BCT[..., 10:] = 7.0
    assert torch.equal(encoder.embed(x_BCT, patches=1), encoder.embed(other_BCT, patches=1))
    assert not torch.equal(encoder.embed(x_BCT), encoder.embed(other_BCT))


def test_whole_windows_are_as_without_a_mask(encoder: Encoder) -> None:
    """Bit for bit, so that embeddings of scans of at least a window do not depend on padding."""
    x_CT = make_timeseries(20)
    output = encoder(torch.from_numpy(x_CT)[None])
    expected = torch.cat([output.tokens_BLD.mean(1), output.cls_BD], dim=-1).detach().numpy()
    assert np.array_equal(embed_windows(encoder, x_CT), expected)


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
