"""Crops, augmentation and masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semantoks.model.pretrain.views import augment, draw_starts, slice_masks


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_starts_are_uniform_and_independent(generator: torch.Generator) -> None:
    first, second = draw_starts(torch.full((20000,), 104), 100, 1.0, generator)
    for starts in (first, second):
        assert torch.bincount(starts).tolist() == pytest.approx([4000] * 5, rel=0.1)
    assert abs(torch.corrcoef(torch.stack([first, second]).float())[0, 1]) < 0.03


@pytest.mark.parametrize("max_overlap", [0.0, 0.4, 0.9])
def test_overlap_is_limited_where_the_scan_is_long_enough(
    generator: torch.Generator, max_overlap: float
) -> None:
    length_B = torch.tensor([100, 130, 180, 300]).repeat(500)
    first, second = draw_starts(length_B, 100, max_overlap, generator)
    assert (torch.minimum(first, second) >= 0).all()
    assert (torch.maximum(first, second) + 100 <= length_B).all()
    distance = (first - second).abs()
    assert (distance >= torch.clamp(length_B - 100, max=round(100 * (1 - max_overlap)))).all()
    assert 0.4 < (first < second)[length_B > 100].float().mean() < 0.6


def test_augmentation_keeps_missing_regions_missing(generator: torch.Generator) -> None:
    x_BCT = torch.ones(5, 20, 40)
    x_BCT[2, 7] = torch.nan
    view = augment(x_BCT, generator)
    assert view[2, 7].isnan().all()
    assert view.isnan().sum() == 40


def test_augmentation_drops_regions_and_a_block_of_time(generator: torch.Generator) -> None:
    view = augment(torch.full((400, 50, 100), 1000.0), generator)
    dropped_BCT = view.abs() < 10  # only noise
    assert 0.099 < view[dropped_BCT].std() < 0.101
    dropped_regions = dropped_BCT.all(2).sum(1)
    assert set(dropped_regions.tolist()) == {1, 2, 3, 4}
    dropped_BT = dropped_BCT.all(1)
    assert 25 <= dropped_BT.sum(1).max() <= 30
    edges = dropped_BT.int().diff(dim=1).abs().sum(1)
    assert edges.max() == 2  # a single block
    gains = view.amax((1, 2)) / 1000
    assert 0.8 <= gains.min() < 0.82 and 1.18 < gains.max() < 1.201


def test_augmentation_depends_on_the_seed() -> None:
    x_BCT = torch.randn(2, 5, 20)
    views = [augment(x_BCT, torch.Generator().manual_seed(s)) for s in (3, 3, 4)]
    assert torch.equal(views[0], views[1]) and not torch.equal(views[0], views[2])


def count_hidden(mask_BNP: torch.Tensor) -> tuple[list[int], list[int]]:
    """Return the numbers of hidden networks, and of hidden patches, of the scans masked by each."""
    networks_BN, patches_BP = mask_BNP.all(2), mask_BNP.all(1)
    by_network = (networks_BN[..., None] == mask_BNP).all((1, 2))
    by_time = (patches_BP[:, None] == mask_BNP).all((1, 2))
    assert (by_network ^ by_time).all()
    return networks_BN[by_network].sum(1).tolist(), patches_BP[by_time].sum(1).tolist()


def test_masks_of_the_paper(generator: torch.Generator) -> None:
    networks, patches = count_hidden(slice_masks(2000, 9, 5, "paper", generator))
    assert 0.45 < len(networks) / 2000 < 0.55
    assert set(networks) == {6, 7, 8} and set(patches) == {3, 4}


def test_masks_of_the_reference(generator: torch.Generator) -> None:
    networks, patches = count_hidden(slice_masks(4000, 9, 5, "reference", generator))
    assert set(networks) == {5, 6} and set(patches) == {3, 4}
    assert np.mean(np.array(networks) == 5) == pytest.approx(0.5, abs=0.05)
    assert np.mean(np.array(patches) == 3) == pytest.approx(0.75, abs=0.05)


def test_hidden_time_is_contiguous(generator: torch.Generator) -> None:
    mask = slice_masks(200, 3, 10, "paper", generator)
    edges_BP = mask.any(1).int().diff(dim=1).abs().sum(1)
    assert edges_BP.max() <= 2


@pytest.mark.parametrize(("networks", "patches"), [(1, 5), (5, 1), (2, 2), (1, 1)])
@pytest.mark.parametrize("mode", ["paper", "reference"])
def test_masks_hide_something_but_not_everything(
    generator: torch.Generator, networks: int, patches: int, mode: str
) -> None:
    mask = slice_masks(50, networks, patches, mode, generator)  # type: ignore[arg-type]
    assert not mask.all((1, 2)).any()
    assert mask.any((1, 2)).all() or (networks, patches) == (1, 1)
