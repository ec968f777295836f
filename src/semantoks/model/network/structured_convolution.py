"""Structured global convolution (SGConv), the long-range branch of a tokenizer."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StructuredConvolution(nn.Module):
    """A long depthwise convolution with few parameters, followed by a linear map (SGConv).

    Each region has ``heads`` kernels. A kernel is the concatenation of short learned kernels, one
    per scale, which are stretched by powers of two and decay over the scales. The linear map then
    mixes the channels of all regions at each volume.

    Parameters
    ----------
    regions : int
        Regions of the network.
    channels : int
        Output channels.
    kernel : int
        Learned values per scale.
    scales : int
        Number of scales; scale i is stretched by 2^max(0, i-1).
    decay : tuple of float
        Factor between successive scales, at the first and at the last region.

    References
    ----------
    Li et al., "What makes convolutional models great on long sequence modeling?", ICLR 2023,
    arXiv 2210.09298.
    """

    decay_C1: Tensor
    norm_HC1: Tensor

    def __init__(
        self, regions: int, channels: int, kernel: int, scales: int, decay: tuple[float, float]
    ) -> None:
        super().__init__()
        # Small networks get more kernels per region, so that heads × regions >= channels.
        heads = math.ceil(channels / regions)
        self.kernels = nn.ParameterList(torch.randn(heads, regions, kernel) for _ in range(scales))
        self.skip_HC = nn.Parameter(torch.randn(heads, regions))
        # Not `linear.Linear`: the transposed input of `forward` would not be a channels_last image.
        self.projection = nn.Linear(heads * regions, channels)
        self.register_buffer("decay_C1", torch.linspace(*decay, regions)[:, None])
        # The norm of the initial kernel: fixed, so that training may change the kernel's scale.
        with torch.no_grad():
            norm_HC1 = self._stretched().norm(dim=-1, keepdim=True)
        self.register_buffer("norm_HC1", norm_HC1)

    def _stretched(self) -> Tensor:
        scales = len(self.kernels)
        parts = [
            # Lengths of 1, 1, 2, 4, … times `kernel` add up to kernel · 2^(scales - 1).
            kernel.repeat_interleave(2 ** max(0, i - 1), dim=-1) * self.decay_C1 ** (scales - 1 - i)
            for i, kernel in enumerate(self.kernels)
        ]
        return torch.cat(parts, dim=-1)

    def kernel(self) -> Tensor:
        """Return the kernel for cross-correlation with the signal, (heads, regions, length)."""
        # SGConv is a true convolution, hence the flip for cross-correlation.
        kernel_HCK = (self._stretched() / self.norm_HC1).flip(-1)
        length = kernel_HCK.shape[-1]
        # Adding the skip weight at lag zero saves a separate pass over the signal.
        is_lag_zero_K = torch.arange(length, device=kernel_HCK.device) == (length - 1) // 2
        return kernel_HCK + self.skip_HC[..., None] * is_lag_zero_K

    def forward(self, x_CTQ: Tensor) -> Tensor:
        """Return (T, patches, channels) for (regions, T, patches)."""
        # Zero-padded cross-correlation is a product with a banded matrix, so all patches of all
        # windows go through a single bmm. With regions first and patches last, neither this
        # product nor the projection copies its operands.
        volumes = x_CTQ.shape[1]
        # Channels are ordered (region, head), which is the order of the weights of the projection.
        bands_CHTT = _band_matrices(self.kernel(), volumes).transpose(0, 1)
        mixed_CSQ = torch.bmm(bands_CHTT.flatten(1, 2).to(x_CTQ.dtype), x_CTQ)
        mixed_CHTQ = torch.unflatten(mixed_CSQ, 1, (-1, volumes))
        projected_SD: Tensor = self.projection(mixed_CHTQ.flatten(0, 1).flatten(1).T)
        return torch.unflatten(projected_SD, 0, x_CTQ.shape[1:])


def _band_matrices(kernel_HCK: Tensor, volumes: int) -> Tensor:
    """Return the (T, T) matrix of the zero-padded cross-correlation with each kernel."""
    length = kernel_HCK.shape[-1]
    # As padding="same" pads an even kernel: a length of 16 has 7 on the left and 8 on the right.
    left = (length - 1) // 2
    # Entry (t, s) is kernel[s - t + left]; a negative pad drops lags longer than a patch.
    lags = F.pad(kernel_HCK, (volumes - 1 - left, volumes - length + left))
    return lags.unfold(-1, volumes, 1).flip(-2)
