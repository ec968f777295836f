"""What the tokenizers keep, and how they lay windows out."""

from __future__ import annotations

import torch

from semantoks.config import Tokenizer
from semantoks.model.tokenizer import NetworkTokenizer, StructuredConvolution, lay_out


def test_kernel_norm_is_that_of_the_initial_kernel() -> None:
    branch = StructuredConvolution(3, 6, 4, 3, (2.0, 2.0))
    before = branch.norm_HC1.clone()
    with torch.no_grad():
        branch.kernels[0].mul_(2)
    branch(torch.randn(3, 20, 1))
    torch.testing.assert_close(branch.norm_HC1, before)
    assert "norm_HC1" in branch.state_dict()


def test_patches_are_laid_out_with_their_neighbours_and_zeros_beyond() -> None:
    x_BCT = torch.arange(1.0, 13.0).view(1, 2, 6)
    first_CKTQ, second_CKTQ = lay_out(x_BCT, patch=3, taps=3, sizes=[1, 1])
    assert first_CKTQ.shape == second_CKTQ.shape == (1, 3, 3, 2)
    assert second_CKTQ[0, 1, :, 1].tolist() == [10, 11, 12]  # the second patch
    assert second_CKTQ[0, 0, :, 1].tolist() == [0, 10, 11]  # one volume earlier
    assert second_CKTQ[0, 2, :, 1].tolist() == [11, 12, 0]  # one volume later


def test_an_empty_batch_has_no_tokens() -> None:
    tokenizer = NetworkTokenizer(5, Tokenizer(dense_channels=3, structured_channels=7))
    assert tokenizer(torch.empty(5, 3, 20, 0)).shape == (0, 10)
