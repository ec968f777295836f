"""Shapes, order of regions and networks, missing data, and windows of other lengths."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semantoks.config import Architecture
from semantoks.errors import UserError
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.reference import NETWORKS
from semantoks.model.network.encoder import Encoder
from speed import plain
from tests.unit.model.conftest import EXACT, SIZES, WIDTH, models

DEEP = SIZES.model_copy(update={"depth": 2})
LAYOUT = ("a", "b", "a", "c", "b", "a")


def make_encoder(
    networks: tuple[str, ...] = LAYOUT, order: tuple[str, ...] | None = None
) -> Encoder:
    torch.manual_seed(0)
    return Encoder(DEEP, networks, order).eval()


@pytest.fixture(name="x_BCT")
def windows() -> torch.Tensor:
    return torch.randn(3, 6, 20, generator=torch.Generator().manual_seed(1))


def test_shapes_and_embedding(x_BCT: torch.Tensor) -> None:
    model = make_encoder()
    output = model(x_BCT)
    assert output.cls_BD.shape == (3, WIDTH)
    assert output.tokens_BLD.shape == (3, 3 * 2, WIDTH)
    expected = torch.cat([output.tokens_BLD.mean(1), output.cls_BD], -1)
    torch.testing.assert_close(model.embed(x_BCT), expected)


def test_network_vectors_are_mean_tokens(x_BCT: torch.Tensor) -> None:
    model = make_encoder()
    vectors = model.embed_networks(x_BCT).view(3, 3, WIDTH)
    tokens = model(x_BCT).tokens_BLD.view(3, 3, 2, WIDTH)
    torch.testing.assert_close(vectors, tokens.mean(2))


def test_regions_of_a_network_need_not_be_contiguous(x_BCT: torch.Tensor) -> None:
    grouped = make_encoder(("a", "a", "a", "b", "b", "c"))
    scattered = make_encoder()
    scattered.load_state_dict(grouped.state_dict())
    torch.testing.assert_close(scattered.embed(x_BCT), grouped.embed(x_BCT[:, [0, 2, 5, 1, 4, 3]]))


def test_order_of_networks_can_be_given() -> None:
    assert make_encoder().order == ("a", "b", "c")
    assert make_encoder(order=("c", "a", "b")).sizes == [1, 3, 2]
    with pytest.raises(UserError, match="must name every network"):
        make_encoder(order=("a", "b"))


def test_missing_region_is_set_to_zero_in_its_scan_only(x_BCT: torch.Tensor) -> None:
    model = make_encoder()
    missing, zeroed = x_BCT.clone(), x_BCT.clone()
    missing[0, 0], zeroed[0, 0] = torch.nan, 0
    features = model.embed(missing)
    torch.testing.assert_close(features, model.embed(zeroed))
    torch.testing.assert_close(features[1:], model.embed(x_BCT)[1:])


def test_region_with_a_missing_volume_is_missing(x_BCT: torch.Tensor) -> None:
    volume, region = x_BCT.clone(), x_BCT.clone()
    volume[0, 0, 3], region[0, 0] = torch.nan, torch.nan
    torch.testing.assert_close(make_encoder().embed(volume), make_encoder().embed(region))


def test_network_with_too_few_covered_regions_is_masked(x_BCT: torch.Tensor) -> None:
    model = make_encoder()
    missing = x_BCT.clone()
    missing[:, [0, 2]] = torch.nan  # two of the three regions of "a"
    mask = torch.zeros(3, 3, 2, dtype=torch.bool)
    mask[:, 0] = True
    expected = model(x_BCT, mask)
    torch.testing.assert_close(model(missing).tokens_BLD, expected.tokens_BLD)
    torch.testing.assert_close(model(missing).cls_BD, expected.cls_BD)
    assert model.presence(missing).tolist() == [[False, True, True]] * 3


def test_scan_without_data_has_finite_features_and_gradients(x_BCT: torch.Tensor) -> None:
    model = make_encoder()
    features = model.embed(torch.full_like(x_BCT, torch.nan))
    features.sum().backward()
    assert features.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("volumes", [10, 30, 100])
def test_windows_of_other_lengths(volumes: int) -> None:
    output = make_encoder()(torch.randn(2, 6, volumes))
    assert output.tokens_BLD.shape == (2, 3 * volumes // 10, WIDTH)


@settings(max_examples=30, deadline=None)
@given(model=models(), patches=st.integers(1, 6))
def test_tokens_equal_the_plain_implementation_at_any_length(
    model: SelfDistillation, patches: int
) -> None:
    encoder = model.student
    volumes = patches * encoder.architecture.patch
    x_BCT = torch.randn(2, len(encoder.networks), volumes, dtype=torch.float64)
    expected_BSD = plain.encode(encoder, x_BCT)
    output = encoder(x_BCT)
    torch.testing.assert_close(output.cls_BD, expected_BSD[:, 0], **EXACT)
    torch.testing.assert_close(output.tokens_BLD, expected_BSD[:, 1:], **EXACT)


@pytest.mark.parametrize("shape", [(2, 6, 15), (2, 6, 0), (2, 5, 20)])
def test_windows_of_the_wrong_shape_raise(shape: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match=r"multiple of 10 volumes|expects 6 regions"):
        make_encoder()(torch.randn(shape))


def test_size_of_the_paper() -> None:
    model = Encoder(Architecture(), NETWORKS)
    assert len(NETWORKS) == 457
    assert model.sizes == [61, 77, 46, 47, 26, 52, 91, 50, 7]
    # The reference has 62.75 million parameters, of which it never uses 4.03 million.
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(58.72e6, abs=5e3)
