"""From the time series of one network's regions to one token per time patch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

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
        at_zero_K = torch.arange(length, device=kernel_HCK.device) == (length - 1) // 2
        return kernel_HCK + self.skip_HC[..., None] * at_zero_K

    def forward(self, x_CTQ: Tensor) -> Tensor:
        """Return (T, patches, channels) for (regions, T, patches)."""
        volumes = x_CTQ.shape[1]
        bands_CHTT = _band_matrices(self.kernel(), volumes).transpose(0, 1)
        # With regions first and patches last, both products read memory as it lies: no copies.
        mixed_CSQ = torch.bmm(bands_CHTT.flatten(1, 2).to(x_CTQ.dtype), x_CTQ)
        mixed_CHTQ = torch.unflatten(mixed_CSQ, 1, (-1, volumes))
        projected_SD: Tensor = self.projection(mixed_CHTQ.flatten(0, 1).flatten(1).T)
        return torch.unflatten(projected_SD, 0, x_CTQ.shape[1:])


def _band_matrices(kernel_HCK: Tensor, volumes: int) -> Tensor:
    """Return the (T, T) matrices that zero-padded cross-correlation with each kernel is."""
    length = kernel_HCK.shape[-1]
    left = (length - 1) // 2
    # Entry (t, s) is kernel[s - t + left]; a negative pad cuts lags that no pair of volumes has.
    lags = F.pad(kernel_HCK, (volumes - 1 - left, volumes - length + left))
    return lags.unfold(-1, volumes, 1).flip(-2)


class NetworkPatches(NamedTuple):
    """The patches of a network's regions, laid out as each branch of the tokenizer reads them.

    Attributes
    ----------
    x_QTC : Tensor
        For the dense branch, (patches of all windows, volumes, regions).
    x_CTQ : Tensor
        For the structured one.
    """

    x_QTC: Tensor
    x_CTQ: Tensor

    def select(self, patch_R: Tensor) -> NetworkPatches:
        """Return some of the patches."""
        return NetworkPatches(
            self.x_QTC.index_select(0, patch_R), self.x_CTQ.index_select(2, patch_R)
        )


def lay_out(x_BCT: Tensor, patch: int, regions: Sequence[Tensor]) -> tuple[NetworkPatches, ...]:
    """Cut windows into patches.

    Parameters
    ----------
    x_BCT : Tensor
        Windows (batch, regions, volumes); volumes are a multiple of `patch`.
    patch : int
        Volumes of a patch.
    regions : sequence of Tensor of int
        Which regions each network has.

    Returns
    -------
    tuple of NetworkPatches
        For each network; window by window, each window's patches in order.
    """
    return tuple(_patches(x_BCT.index_select(1, network_C), patch) for network_C in regions)


def _patches(x_BCT: Tensor, patch: int) -> NetworkPatches:
    batch, regions, _ = x_BCT.shape
    x_BCPT = x_BCT.view(batch, regions, -1, patch)
    return NetworkPatches(
        x_BCPT.permute(0, 2, 3, 1).flatten(0, 1), x_BCPT.permute(1, 3, 0, 2).flatten(2)
    )


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

    def forward(self, patches: NetworkPatches) -> Tensor:
        """Return one token per patch, (patches, width)."""
        # As images of one row, whose channels lie side by side in memory: the products of oneDNN.
        image_QC1T = patches.x_QTC[:, None].permute(0, 3, 1, 2)
        dense = F.conv2d(image_QC1T, self.dense.weight[:, :, None], self.dense.bias, padding="same")
        features_QD = (
            F.gelu(dense.squeeze(2).mT).mean(1),
            F.gelu(self.structured(patches.x_CTQ)).mean(0),
        )
        tokens_QD: Tensor = self.norm(torch.cat(features_QD, dim=-1))
        return tokens_QD
