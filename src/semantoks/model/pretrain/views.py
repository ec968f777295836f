"""Two views of each scan: crops, augmentation and masks, for a whole batch at once.

Everything is drawn on the device of the data, from the generator that is passed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from semantoks.artifacts.files import atomic, read_json, write_json
from semantoks.config import Pretraining

_VOLUMES = "scans.f16"
_LENGTHS = "scans.json"
MASKED_PART = (0.65, 0.85)


class Views(NamedTuple):
    """A batch: all first views, then all second ones, and what the student may not see.

    Attributes
    ----------
    views_WCT : Tensor
        Windows (2 × scans, regions, volumes).
    mask_WNP : Tensor of bool or None
        True where a network's time patch is hidden.
    """

    views_WCT: Tensor
    mask_WNP: Tensor | None


@dataclass(frozen=True)
class PackedScans:
    """All scans one after the other in one array, so that a batch is one indexing.

    Attributes
    ----------
    volumes_VC : Tensor of float16
        Volumes of all scans by regions; NaN where a region is not covered.
    first_S, length_S : Tensor
        First volume and number of volumes of each scan.
    """

    volumes_VC: Tensor
    first_S: Tensor
    length_S: Tensor

    @staticmethod
    def write(folder: Path, scans: Iterable[np.ndarray]) -> None:
        """Pack z-scored time series, (regions, volumes) each; one at a time is in memory."""
        lengths, regions = [], 0
        with atomic(folder / _VOLUMES) as temporary, temporary.open("wb") as file:
            for scan in scans:
                if regions not in (0, len(scan)):
                    raise ValueError(f"a scan has {len(scan)} regions, those before {regions}")
                regions = len(scan)
                lengths.append(scan.shape[1])
                file.write(np.ascontiguousarray(scan.T, np.float16).data)
        write_json(folder / _LENGTHS, {"regions": regions, "lengths": lengths})

    @classmethod
    def open(cls, folder: Path) -> PackedScans:
        """Map the file that `write` wrote into memory."""
        content = read_json(folder / _LENGTHS)
        length_S = torch.tensor(content["lengths"], dtype=torch.long)
        volumes, regions = int(length_S.sum()), content["regions"]
        flat = torch.from_file(
            str(folder / _VOLUMES), size=volumes * regions, dtype=torch.float16, shared=False
        )
        return cls(flat.view(volumes, regions), length_S.cumsum(0) - length_S, length_S)

    def to(self, device: torch.device | str) -> PackedScans:
        """Move to a device: the volumes only if they take no more than half of what is free."""
        volumes_VC = self.volumes_VC
        if torch.device(device).type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if volumes_VC.nbytes <= free / 2:
                volumes_VC = volumes_VC.to(device)
        return PackedScans(volumes_VC, self.first_S.to(device), self.length_S.to(device))

    def windows(self, scan_B: Tensor, start_B: Tensor, volumes: int) -> Tensor:
        """Cut one window per entry, (B, regions, volumes), in PyTorch's default precision."""
        offsets_T = torch.arange(volumes, device=start_B.device)
        row_BT = (self.first_S[scan_B] + start_B)[:, None] + offsets_T
        windows_BTC = self.volumes_VC[row_BT.to(self.volumes_VC.device)].to(start_B.device)
        return windows_BTC.mT.to(torch.get_default_dtype())


def draw_views(
    packed: PackedScans,
    scan_B: Tensor,
    settings: Pretraining,
    networks: int | None,
    generators: Sequence[Generator],
) -> Views:
    """Draw two augmented windows of each scan, and masks for them.

    Parameters
    ----------
    packed : PackedScans
        The time series.
    scan_B : Tensor of int
        Which scans; the number must be a multiple of the number of generators.
    settings : Pretraining
        Window, patch, overlap and masking.
    networks : int or None
        Number of networks, for masks; None for no masks.
    generators : sequence of Generator
        Each serves its equal part of the scans, so that processes can share a batch.
    """
    lots = len(generators)
    window, device = settings.architecture.window, scan_B.device
    regions = packed.volumes_VC.shape[1]
    views_VBCT = torch.empty(2, len(scan_B), regions, window, device=device)
    draw = partial(_draw, packed, settings, networks)
    parts = scan_B.chunk(lots), views_VBCT.chunk(lots, dim=1), generators
    if scan_B.is_cuda:
        masks = list(map(draw, *parts))
    else:  # a generator draws on one core
        with ThreadPoolExecutor(torch.get_num_threads(), initializer=_alone) as pool:
            masks = list(pool.map(draw, *parts))
    mask_WNP = None if networks is None else torch.cat(masks, dim=1).flatten(0, 1)
    return Views(views_VBCT.flatten(0, 1), mask_WNP)


def _draw(
    packed: PackedScans,
    settings: Pretraining,
    networks: int | None,
    scan_B: Tensor,
    views_VBCT: Tensor,
    generator: Generator,
) -> Tensor:
    """Draw one lot's views, into their place, and return its masks (empty without networks)."""
    sizes, training = settings.architecture, settings.training
    starts = draw_starts(packed.length_S[scan_B], sizes.window, training.max_overlap, generator)
    for start_B, view_BCT in zip(starts, views_VBCT, strict=True):
        augment(packed.windows(scan_B, start_B, sizes.window), generator, out=view_BCT)
    shape = (2 * len(scan_B), networks or 0, sizes.window // sizes.patch)
    if networks is None:
        return torch.empty(shape)
    masks_WNP = slice_masks(*shape, training.masking, generator)
    return masks_WNP.view(2, len(scan_B), *shape[1:])


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


def augment(x_BCT: Tensor, generator: Generator, out: Tensor | None = None) -> Tensor:
    """Silence regions and a block of time, scale, add noise; NaN regions stay NaN.

    0-10 % of the regions (at least one) and a block of 0-30 % of the volumes are set to zero,
    the amplitude is multiplied by U[0.8, 1.2], and Gaussian noise of sd 0.1 is added. The result is
    written into `out` where given.
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
    noise_BCT = (
        torch.empty_like(x_BCT, memory_format=torch.contiguous_format) if out is None else out
    )
    noise_BCT.normal_(std=0.1, generator=generator)
    return noise_BCT.addcmul_(x_BCT * (keep_BC * gain_B1)[..., None], keep_BT[:, None])


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


def _alone() -> None:
    torch.set_num_threads(1)  # of this thread: its own helpers would keep other cores busy
