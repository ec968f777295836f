"""Layout of regions and networks, absent data, windows of other lengths."""

from __future__ import annotations

import pytest
import torch

from semantoks.config import Architecture, Tokenizer
from semantoks.errors import UserError
from semantoks.model.files.reference import NETWORKS
from semantoks.model.network.encoder import Encoder, time_embedding

SIZES = Architecture(
    window=20,
    patch=10,
    tokenizer=Tokenizer(dense_channels=4, structured_channels=4),
    head_width=4,
    depth=2,
)
LAYOUT = ("a", "b", "a", "c", "b", "a")


def encoder(networks: tuple[str, ...] = LAYOUT, order: tuple[str, ...] | None = None) -> Encoder:
    torch.manual_seed(0)
    return Encoder(SIZES, networks, order).eval()


@pytest.fixture(name="x_BCT")
def windows() -> torch.Tensor:
    return torch.randn(3, 6, 20, generator=torch.Generator().manual_seed(1))


def test_shapes_and_embedding(x_BCT: torch.Tensor) -> None:
    model = encoder()
    output = model(x_BCT)
    assert output.cls_BD.shape == (3, 8)
    assert output.tokens_BLD.shape == (3, 3 * 2, 8)
    expected = torch.cat([output.tokens_BLD.mean(1), output.cls_BD], -1)
    torch.testing.assert_close(model.embed(x_BCT), expected)


def test_a_vector_per_network_is_the_mean_of_its_tokens(x_BCT: torch.Tensor) -> None:
    model = encoder()
    vectors = model.embed_networks(x_BCT).view(3, 3, 8)
    tokens = model(x_BCT).tokens_BLD.view(3, 3, 2, 8)
    torch.testing.assert_close(vectors, tokens.mean(2))


def test_regions_of_a_network_need_not_be_contiguous(x_BCT: torch.Tensor) -> None:
    grouped = encoder(("a", "a", "a", "b", "b", "c"))
    scattered = encoder()
    scattered.load_state_dict(grouped.state_dict())
    torch.testing.assert_close(scattered.embed(x_BCT), grouped.embed(x_BCT[:, [0, 2, 5, 1, 4, 3]]))


def test_networks_come_in_the_order_given() -> None:
    assert encoder().order == ("a", "b", "c")
    assert encoder(order=("c", "a", "b")).sizes == [1, 3, 2]
    with pytest.raises(UserError, match="must name each network"):
        encoder(order=("a", "b"))


def test_a_missing_region_contributes_nothing_and_harms_no_other_scan(
    x_BCT: torch.Tensor,
) -> None:
    model = encoder()
    holed, zeroed = x_BCT.clone(), x_BCT.clone()
    holed[0, 0], zeroed[0, 0] = torch.nan, 0
    found = model.embed(holed)
    torch.testing.assert_close(found, model.embed(zeroed))
    torch.testing.assert_close(found[1:], model.embed(x_BCT)[1:])


def test_one_missing_volume_makes_a_region_missing(x_BCT: torch.Tensor) -> None:
    holed, whole = x_BCT.clone(), x_BCT.clone()
    holed[0, 0, 3], whole[0, 0] = torch.nan, torch.nan
    torch.testing.assert_close(encoder().embed(holed), encoder().embed(whole))


def test_a_network_with_too_few_regions_becomes_masked_tokens(x_BCT: torch.Tensor) -> None:
    model = encoder()
    holed = x_BCT.clone()
    holed[:, [0, 2]] = torch.nan  # one of the three regions of "a" is left
    mask = torch.zeros(3, 3, 2, dtype=torch.bool)
    mask[:, 0] = True
    expected = model(x_BCT, mask)
    torch.testing.assert_close(model(holed).tokens_BLD, expected.tokens_BLD)
    present = torch.tensor([False, True, True])
    torch.testing.assert_close(model(x_BCT, present_N=present).cls_BD, expected.cls_BD)
    assert model.presence(holed).tolist() == [[False, True, True]] * 3


def test_a_scan_without_any_data_gives_numbers_and_gradients(x_BCT: torch.Tensor) -> None:
    model = encoder()
    features = model.embed(torch.full_like(x_BCT, torch.nan))
    features.sum().backward()
    assert features.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("volumes", [10, 30, 100])
def test_windows_of_other_lengths(volumes: int) -> None:
    output = encoder()(torch.randn(2, 6, volumes))
    assert output.tokens_BLD.shape == (2, 3 * volumes // 10, 8)


@pytest.mark.parametrize("shape", [(2, 6, 15), (2, 6, 0), (2, 5, 20)])
def test_windows_that_do_not_fit_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match=r"multiple of 10 volumes|expects 6 regions"):
        encoder()(torch.randn(shape))


def test_time_embedding_is_sine_then_cosine() -> None:
    table_PD = time_embedding(3, 4)
    assert table_PD[0].tolist() == [0, 0, 1, 1]
    assert table_PD[2, 1].item() == pytest.approx(torch.sin(torch.tensor(0.02)).item())


def test_paper_size() -> None:
    model = Encoder(Architecture(), NETWORKS)
    assert len(NETWORKS) == 457
    assert model.sizes == [61, 77, 46, 47, 26, 52, 91, 50, 7]
    # 62.75 million in the reference, less 4.03 million that it never uses.
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(58.72e6, abs=5e3)
