"""What the tokenizers keep, and how they lay windows out."""

from __future__ import annotations

import torch

from semantoks.config import Tokenizer
from semantoks.model.network.tokenizer import (
    NetworkPatches,
    NetworkTokenizer,
    StructuredConvolution,
    lay_out,
)


def test_kernel_norm_is_that_of_the_initial_kernel() -> None:
    branch = StructuredConvolution(3, 6, 4, 3, (2.0, 2.0))
    before = branch.norm_HC1.clone()
    with torch.no_grad():
        branch.kernels[0].mul_(2)
    branch(torch.randn(3, 20, 1))
    torch.testing.assert_close(branch.norm_HC1, before)
    assert "norm_HC1" in branch.state_dict()


def test_patches_are_laid_out_window_by_window() -> None:
    x_BCT = torch.arange(24.0).view(2, 2, 6)
    first, second = lay_out(x_BCT, patch=3, regions=[torch.tensor([1]), torch.tensor([0])])
    assert first.x_QTC[:, :, 0].tolist() == [[6, 7, 8], [9, 10, 11], [18, 19, 20], [21, 22, 23]]
    assert second.x_QTC[3, :, 0].tolist() == [15, 16, 17]
    assert torch.equal(first.x_CTQ, first.x_QTC.permute(2, 1, 0))
    chosen = first.select(torch.tensor([3, 0]))
    assert chosen.x_QTC[:, 0, 0].tolist() == chosen.x_CTQ[0, 0].tolist() == [21, 6]


def test_an_empty_batch_has_no_tokens() -> None:
    tokenizer = NetworkTokenizer(5, Tokenizer(dense_channels=3, structured_channels=7))
    nothing = NetworkPatches(torch.empty(0, 20, 5), torch.empty(5, 20, 0))
    assert tokenizer(nothing).shape == (0, 10)
