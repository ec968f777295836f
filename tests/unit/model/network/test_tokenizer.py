"""Patches of windows, and tokenizers on an empty batch."""

from __future__ import annotations

import torch

from semantoks.config import Tokenizer
from semantoks.model.network.tokenizer import NetworkPatches, NetworkTokenizer, split_into_patches


def test_patches_are_ordered_by_window() -> None:
    x_BCT = torch.arange(24.0).view(2, 2, 6)
    regions = [torch.tensor([1]), torch.tensor([0])]
    first, second = split_into_patches(x_BCT, patch=3, regions=regions)
    assert first.x_QTC[:, :, 0].tolist() == [[6, 7, 8], [9, 10, 11], [18, 19, 20], [21, 22, 23]]
    assert second.x_QTC[3, :, 0].tolist() == [15, 16, 17]
    assert torch.equal(first.x_CTQ, first.x_QTC.permute(2, 1, 0))
    chosen = first.select(torch.tensor([3, 0]))
    assert chosen.x_QTC[:, 0, 0].tolist() == chosen.x_CTQ[0, 0].tolist() == [21, 6]


def test_empty_batch_has_no_tokens() -> None:
    tokenizer = NetworkTokenizer(5, Tokenizer(dense_channels=3, structured_channels=7))
    empty = NetworkPatches(torch.empty(0, 20, 5), torch.empty(5, 20, 0))
    assert tokenizer(empty).shape == (0, 10)
