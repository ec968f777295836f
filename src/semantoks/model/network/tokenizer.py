"""From the time series of a network's regions to one token per time patch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semantoks import config
from semantoks.model.network.structured_convolution import StructuredConvolution


class NetworkPatches(NamedTuple):
    """The patches of a network, in the memory layout of each branch of the tokenizer.

    Attributes
    ----------
    x_QTC : Tensor
        For the dense branch, (patches of all windows, volumes, regions).
    x_CTQ : Tensor
        For the structured branch, (regions, volumes, patches of all windows).
    """

    x_QTC: Tensor
    x_CTQ: Tensor

    def select(self, patch_R: Tensor) -> NetworkPatches:
        """Return the patches with the given indices."""
        return NetworkPatches(
            self.x_QTC.index_select(0, patch_R), self.x_CTQ.index_select(2, patch_R)
        )


class Patches(NamedTuple):
    """Windows in the memory layout of the tokenizers; student and teacher share them.

    Attributes
    ----------
    by_network : tuple of NetworkPatches
        The patches of each network; missing regions are zero.
    present_BN : Tensor of bool
        Which networks each window has.
    """

    by_network: tuple[NetworkPatches, ...]
    present_BN: Tensor


def split_into_patches(
    x_BCT: Tensor, patch: int, regions: Sequence[Tensor]
) -> tuple[NetworkPatches, ...]:
    """Split windows into the patches of each network.

    Parameters
    ----------
    x_BCT : Tensor
        Windows (batch, regions, volumes); the volumes are a multiple of `patch`.
    patch : int
        Volumes of a patch.
    regions : sequence of Tensor of int
        Indices of the regions of each network.

    Returns
    -------
    tuple of NetworkPatches
        For each network, the patches of the first window in order, then those of the second, …
    """
    return tuple(_network_patches(x_BCT.index_select(1, network_C), patch) for network_C in regions)


def _network_patches(x_BCT: Tensor, patch: int) -> NetworkPatches:
    batch, regions, _ = x_BCT.shape
    # Patches are padded one by one, so no kernel reaches from a masked patch into a visible one.
    x_BCPT = x_BCT.view(batch, regions, -1, patch)
    # Both layouts are materialised once here. Student and teacher then read them without copies.
    return NetworkPatches(
        x_BCPT.permute(0, 2, 3, 1).flatten(0, 1), x_BCPT.permute(1, 3, 0, 2).flatten(2)
    )


class NetworkTokenizer(nn.Module):
    """A dense and a structured convolution side by side, averaged over the time of a patch.

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
        # channels_last conv2d reaches oneDNN; conv1d does not.
        image_QC1T = patches.x_QTC[:, None].permute(0, 3, 1, 2)
        dense = F.conv2d(image_QC1T, self.dense.weight[:, :, None], self.dense.bias, padding="same")
        # GELU and the mean act on each channel, so concatenate after them: 1 / patch of the data.
        features_QD = (
            F.gelu(dense.squeeze(2).mT).mean(1),
            F.gelu(self.structured(patches.x_CTQ)).mean(0),
        )
        tokens_QD: Tensor = self.norm(torch.cat(features_QD, dim=-1))
        return tokens_QD
