"""The structured branch against its definition, written as a grouped convolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from semantoks.config import Tokenizer
from semantoks.model.tokenizer import NetworkTokenizer, StructuredConvolution


def plain(branch: StructuredConvolution, x_QCT: Tensor, decay: tuple[float, float]) -> Tensor:
    """Convolve each region with each of its kernels, add the skip, mix the channels."""
    heads, regions = branch.skip_HC.shape
    scales = len(branch.kernels)
    decay_C1 = torch.linspace(*decay, regions)[:, None].double()
    kernel_HCK = torch.cat(
        [
            k.repeat_interleave(2 ** max(0, i - 1), -1) * decay_C1 ** (scales - 1 - i)
            for i, k in enumerate(branch.kernels)
        ],
        dim=-1,
    )
    kernel_HCK = kernel_HCK / kernel_HCK.norm(dim=-1, keepdim=True)
    length = kernel_HCK.shape[-1]
    padded = F.pad(x_QCT, ((length - 1) // 2, length - 1 - (length - 1) // 2))
    by_region = kernel_HCK.flip(-1).transpose(0, 1).reshape(regions * heads, 1, length)
    skip = branch.skip_HC.T.reshape(-1, 1) * x_QCT.repeat_interleave(heads, 1)
    mixed = F.conv1d(padded, by_region, groups=regions) + skip
    return branch.projection(mixed.transpose(1, 2))


@settings(max_examples=40, deadline=None)
@given(
    regions=st.integers(1, 9),
    channels=st.integers(1, 12),
    kernel=st.integers(1, 5),
    scales=st.integers(1, 4),
    volumes=st.integers(1, 24),
    decay=st.tuples(st.floats(0.5, 3), st.floats(0.5, 3)),
    seed=st.integers(0, 99),
)
def test_band_matrices_are_the_convolution(
    regions: int,
    channels: int,
    kernel: int,
    scales: int,
    volumes: int,
    decay: tuple[float, float],
    seed: int,
) -> None:
    torch.manual_seed(seed)
    branch = StructuredConvolution(regions, channels, kernel, scales, decay).double()
    branch.norm_HC1 = branch._stretched().norm(dim=-1, keepdim=True)
    x_QCT = torch.randn(3, regions, volumes, dtype=torch.float64)
    torch.testing.assert_close(branch(x_QCT), plain(branch, x_QCT, decay), rtol=1e-9, atol=1e-9)


def test_kernel_norm_is_that_of_the_initial_kernel() -> None:
    branch = StructuredConvolution(3, 6, 4, 3, (2.0, 2.0))
    before = branch.norm_HC1.clone()
    with torch.no_grad():
        branch.kernels[0].mul_(2)
    branch(torch.randn(1, 3, 20))
    torch.testing.assert_close(branch.norm_HC1, before)
    assert "norm_HC1" in branch.state_dict()


def test_token_is_one_vector_per_patch_with_dense_channels_first() -> None:
    tokenizer = NetworkTokenizer(5, Tokenizer(dense_channels=3, structured_channels=7))
    x_QCT = torch.randn(2, 5, 20)
    pooled = F.gelu(tokenizer.dense(x_QCT)).mean(-1)
    token = tokenizer(x_QCT)
    assert token.shape == (2, 10)
    rest = F.gelu(tokenizer.structured(x_QCT)).mean(1)
    expected = tokenizer.norm(torch.cat([pooled, rest], -1))
    torch.testing.assert_close(token, expected)
