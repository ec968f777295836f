"""From the time series of one network's regions to one token per time patch."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semantoks import config


class StructuredConvolution(nn.Module):
    """A long depthwise convolution whose kernel is short, stretched and decaying (SGConv).

    Every region has ``heads`` kernels, each put together from a few learned values per scale; a
    linear map then mixes the channels of all regions at each time point.

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
        How much weaker each next scale is, at the first and at the last region.

    References
    ----------
    Li et al., "What makes convolutional models great on long sequence modeling?", ICLR 2023.
    """

    decay_C1: Tensor
    norm_HC1: Tensor

    def __init__(
        self, regions: int, channels: int, kernel: int, scales: int, decay: tuple[float, float]
    ) -> None:
        super().__init__()
        heads = math.ceil(channels / regions)
        self.kernels = nn.ParameterList(torch.randn(heads, regions, kernel) for _ in range(scales))
        self.skip_HC = nn.Parameter(torch.randn(heads, regions))
        self.projection = nn.Linear(heads * regions, channels)
        self.register_buffer("decay_C1", torch.linspace(*decay, regions)[:, None])
        with torch.no_grad():
            norm_HC1 = self._stretched().norm(dim=-1, keepdim=True)
        self.register_buffer("norm_HC1", norm_HC1)

    def _stretched(self) -> Tensor:
        scales = len(self.kernels)
        parts = [
            kernel.repeat_interleave(2 ** max(0, i - 1), dim=-1) * self.decay_C1 ** (scales - 1 - i)
            for i, kernel in enumerate(self.kernels)
        ]
        return torch.cat(parts, dim=-1)

    def kernel(self) -> Tensor:
        """Return the kernel as cross-correlated with the signal, (heads, regions, length)."""
        kernel_HCK = (self._stretched() / self.norm_HC1).flip(-1)
        length = kernel_HCK.shape[-1]
        # The skip connection is one more value at lag zero.
        at_zero = F.one_hot(torch.tensor((length - 1) // 2, device=kernel_HCK.device), length)
        return kernel_HCK + self.skip_HC[..., None] * at_zero

    def forward(self, x_QCT: Tensor) -> Tensor:
        """Return (patches, T, channels) for (patches, regions, T)."""
        bands_HCTT = _band_matrices(self.kernel(), x_QCT.shape[-1])
        # Forward and backward on a CPU: 1.3 to 3 times faster than a grouped convolution, and 1.1
        # to 1.5 times faster than folding kernel and projection into one dense convolution.
        mixed_QTCH = torch.einsum("qcs,hcts->qtch", x_QCT, bands_HCTT)
        projected_QTD: Tensor = self.projection(mixed_QTCH.flatten(2))
        return projected_QTD


def _band_matrices(kernel_HCK: Tensor, volumes: int) -> Tensor:
    """Return the (T, T) matrices that zero-padded cross-correlation with each kernel is."""
    length = kernel_HCK.shape[-1]
    left = (length - 1) // 2
    # Entry (t, s) is kernel[s - t + left]; a negative pad cuts lags that no pair of volumes has.
    lags = F.pad(kernel_HCK, (volumes - 1 - left, volumes - length + left))
    return lags.unfold(-1, volumes, 1).flip(-2)


class NetworkTokenizer(nn.Module):
    """Dense and structured branch side by side, pooled over the time of a patch.

    Parameters
    ----------
    regions : int
        Regions of the network.
    settings : config.Tokenizer
        Channels and kernels.
    """

    def __init__(self, regions: int, settings: config.Tokenizer) -> None:
        super().__init__()
        self.dense = nn.Conv1d(
            regions, settings.dense_channels, settings.dense_kernel, padding="same"
        )
        self.structured = StructuredConvolution(
            regions,
            settings.structured_channels,
            settings.structured_kernel,
            settings.scales,
            (settings.decay_min, settings.decay_max),
        )
        self.norm = nn.LayerNorm(settings.dense_channels + settings.structured_channels)

    def forward(self, x_QCT: Tensor) -> Tensor:
        """Return one token per patch, (patches, width), for (patches, regions, T)."""
        dense_QTD = self.dense(x_QCT).transpose(1, 2)
        features_QTD = torch.cat([dense_QTD, self.structured(x_QCT)], dim=-1)
        tokens_QD: Tensor = self.norm(F.gelu(features_QTD).mean(1))
        return tokens_QD
