"""Two views of each scan: crops, augmentation and masks, for a whole batch at once.

Everything is drawn on the device of the data, from the generator that is passed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Generator, Tensor

MASKED_PART = (0.65, 0.85)


@dataclass(frozen=True)
class PackedScans:
    """All scans one after the other in one array, so that a batch is one indexing.

    Attributes
    ----------
    volumes_VC : Tensor
        Volumes of all scans by regions; NaN where a region is not covered.
    first_S, length_S : Tensor
        First volume and number of volumes of each scan.
    """

    volumes_VC: Tensor
    first_S: Tensor
    length_S: Tensor

    @classmethod
    def pack(cls, scans: Sequence[np.ndarray], device: torch.device | str = "cpu") -> PackedScans:
        """Pack time series of shape (regions, volumes)."""
        lengths = [scan.shape[1] for scan in scans]
        volumes_VC = np.concatenate([scan.T for scan in scans]).astype(np.float32, copy=False)
        first = np.cumsum([0, *lengths[:-1]])
        parts = (torch.from_numpy(volumes_VC), torch.from_numpy(first), torch.tensor(lengths))
        return cls(*(part.to(device) for part in parts))

    def windows(self, scan_B: Tensor, start_B: Tensor, volumes: int) -> Tensor:
        """Cut one window per entry, (B, regions, volumes)."""
        offsets_T = torch.arange(volumes, device=start_B.device)
        return self.volumes_VC[(self.first_S[scan_B] + start_B)[:, None] + offsets_T].mT


def draw_starts(
    length_B: Tensor, window: int, max_overlap: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Draw where the two windows of each pair start.

    Parameters
    ----------
    length_B : Tensor of int
        Volumes of each scan, at least `window`.
    window : int
        Volumes of a window.
    max_overlap : float
        Largest part of a window that both may share. With 1, starts are independent and uniform;
        a scan too short for the distance gets its two outermost windows.
    generator : Generator
        Source of randomness.

    Returns
    -------
    tuple of Tensor
        Starts of the first and of the second windows, (B,).
    """
    span_B = length_B - window
    distance_B = span_B.clamp(max=math.ceil(window * (1 - max_overlap)))
    uniform_2B = torch.rand(2, len(length_B), generator=generator, device=length_B.device)
    start1_B, start2_B = (uniform_2B * (span_B - distance_B + 1)).long()
    # Moving the later of two windows apart by the distance keeps either order equally likely.
    coin_B = torch.rand(len(length_B), generator=generator, device=length_B.device) < 0.5
    first_is_later_B = (start1_B > start2_B) | ((start1_B == start2_B) & coin_B)
    return start1_B + distance_B * first_is_later_B, start2_B + distance_B * ~first_is_later_B


def augment(x_BCT: Tensor, generator: Generator) -> Tensor:
    """Silence regions and a block of time, scale, add noise; NaN regions stay NaN.

    0-10 % of the regions (at least one) and a block of 0-30 % of the volumes are set to zero,
    the amplitude is multiplied by U[0.8, 1.2], and Gaussian noise of sd 0.1 is added.
    """
    batch, regions, volumes = x_BCT.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=x_BCT.device)

    silenced_B1 = (uniform(batch, 1) * 0.1 * regions).floor().clamp(min=1)
    keep_BC = uniform(batch, regions).argsort(1) >= silenced_B1
    block_B1 = (uniform(batch, 1) * 0.3 * volumes).floor()
    start_B1 = (uniform(batch, 1) * (volumes - block_B1 + 1)).floor()
    time_T = torch.arange(volumes, device=x_BCT.device)
    keep_BT = (time_T < start_B1) | (time_T >= start_B1 + block_B1)
    gain_B1 = 0.8 + 0.4 * uniform(batch, 1)
    noise_BCT = torch.randn(x_BCT.shape, generator=generator, device=x_BCT.device)
    return x_BCT * (keep_BC * gain_B1)[..., None] * keep_BT[:, None] + 0.1 * noise_BCT


def slice_masks(
    batch: int,
    networks: int,
    patches: int,
    mode: Literal["paper", "reference"],
    generator: Generator,
) -> Tensor:
    """Draw what is hidden: for each scan whole networks, or a block of time in all networks.

    Parameters
    ----------
    batch, networks, patches : int
        Size of the masks.
    mode : {"paper", "reference"}
        ``paper`` hides the part U[0.65, 0.85], rounded; ``reference`` the counts of the reference
        code (5 or 6 of 9 networks; 3 in 75 % and 4 in 25 % of the cases of 5 time patches).
    generator : Generator
        Source of randomness.

    Returns
    -------
    Tensor of bool
        (batch, networks, patches), True where hidden.
    """
    device = generator.device
    low, high = MASKED_PART

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    part_B1 = low + (high - low) * uniform(batch, 1)
    if mode == "paper":
        hidden_networks_B1 = (part_B1 * networks).round()
        hidden_patches_B1 = (part_B1 * patches).round()
    else:
        hidden_networks_B1 = (part_B1 * (networks - 1)).floor()
        hidden_patches_B1 = (part_B1 * patches).floor()
    hidden_networks_B1 = hidden_networks_B1.clamp(min=1).clamp(max=networks - 1)
    hidden_patches_B1 = hidden_patches_B1.clamp(min=1).clamp(max=patches - 1)
    networks_BN = uniform(batch, networks).argsort(1) < hidden_networks_B1
    start_B1 = (uniform(batch, 1) * (patches - hidden_patches_B1 + 1)).floor()
    time_P = torch.arange(patches, device=device)
    patches_BP = (time_P >= start_B1) & (time_P < start_B1 + hidden_patches_B1)
    by_network_B11 = uniform(batch, 1, 1) < 0.5
    # Of a single network or a single patch nothing could be hidden and something left to see.
    if patches == 1 or networks == 1:
        by_network_B11 = torch.full_like(by_network_B11, patches == 1)
    return torch.where(by_network_B11, networks_BN[:, :, None], patches_BP[:, None, :])
