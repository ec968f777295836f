"""Two views of each scan: crops, augmentation and masks, for a whole batch at once.

All random numbers are drawn on the device of the data, from the given generators.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor

from semantoks.config import Pretraining
from semantoks.model.pretrain.packed import PackedScans

# The mask ratios of arXiv 2512.11582.
MASKED_SHARE = (0.65, 0.85)


class Views(NamedTuple):
    """A batch: the first views of all scans, followed by their second views.

    Attributes
    ----------
    views_WCT : Tensor
        Augmented windows (2 × scans, regions, volumes).
    mask_WNP : Tensor of bool or None
        True where the token of a network and time patch is hidden from the student.
    """

    views_WCT: Tensor
    mask_WNP: Tensor | None


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
        Indices of the scans; their number is a multiple of the number of generators.
    settings : Pretraining
        Window, patch, overlap and masking.
    networks : int or None
        Number of networks, for masks; None for no masks.
    generators : sequence of Generator
        One for each chunk of the scans, so that the draws do not depend on how many processes
        share the batch.
    """
    chunks = len(generators)
    window, device = settings.architecture.window, scan_B.device
    regions = packed.volumes_VC.shape[1]
    views_VBCT = torch.empty(2, len(scan_B), regions, window, device=device)
    draw = partial(_draw_chunk, packed, settings, networks)
    arguments = scan_B.chunk(chunks), views_VBCT.chunk(chunks, dim=1), generators
    if scan_B.is_cuda:
        # On a GPU threads gain nothing: the kernels of a stream run one after another.
        masks = list(map(draw, *arguments))
    else:
        # A CPU generator draws on a single core, so draw the chunks in parallel. PyTorch releases
        # the GIL while it draws.
        with ThreadPoolExecutor(torch.get_num_threads(), initializer=_use_one_thread) as pool:
            masks = list(pool.map(draw, *arguments))
    mask_WNP = None if networks is None else torch.cat(masks, dim=1).flatten(0, 1)
    return Views(views_VBCT.flatten(0, 1), mask_WNP)


def _draw_chunk(
    packed: PackedScans,
    settings: Pretraining,
    networks: int | None,
    scan_B: Tensor,
    views_VBCT: Tensor,
    generator: Generator,
) -> Tensor:
    """Write the views of a chunk into `views_VBCT` and return its masks (empty if unmasked)."""
    sizes, training = settings.architecture, settings.training
    starts = draw_starts(packed.length_S[scan_B], sizes.window, training.max_overlap, generator)
    for start_B, view_BCT in zip(starts, views_VBCT, strict=True):
        augment(packed.windows(scan_B, start_B, sizes.window), generator, out=view_BCT)
    shape = (2 * len(scan_B), networks or 0, sizes.window // sizes.patch)
    if networks is None:
        return torch.empty(shape)
    masks_WNP = slice_masks(*shape, training.masking, generator)
    return masks_WNP.view(2, len(scan_B), *shape[1:])


def _use_one_thread() -> None:
    # PyTorch's thread count is per thread: each worker of the pool would start its own OpenMP team.
    torch.set_num_threads(1)


def draw_starts(
    length_B: Tensor, window: int, max_overlap: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Draw the starts of the two windows of each pair.

    Parameters
    ----------
    length_B : Tensor of int
        Volumes of each scan, at least `window`.
    window : int
        Volumes of a window.
    max_overlap : float
        Largest overlap of the two windows, as a share of the window. With 1, the starts are
        independent and uniform. A scan too short for the required distance yields its first and
        its last window.
    generator : Generator
        Random number generator.

    Returns
    -------
    tuple of Tensor of int
        Starts of the first and of the second windows, (B,).
    """
    span_B = length_B - window
    distance_B = span_B.clamp(max=math.ceil(window * (1 - max_overlap)))
    uniform_2B = torch.rand(2, len(length_B), generator=generator, device=length_B.device)
    start1_B, start2_B = (uniform_2B * (span_B - distance_B + 1)).long()
    # Draw both starts in the shortened range, then move the later window by the distance. This
    # needs no rejection, and either order stays equally likely; the coin breaks ties.
    coin_B = torch.rand(len(length_B), generator=generator, device=length_B.device) < 0.5
    first_is_later_B = (start1_B > start2_B) | ((start1_B == start2_B) & coin_B)
    return start1_B + distance_B * first_is_later_B, start2_B + distance_B * ~first_is_later_B


def augment(x_BCT: Tensor, generator: Generator, out: Tensor | None = None) -> Tensor:
    """Drop regions and a block of volumes, scale and add noise; NaN regions stay NaN.

    0-10 % of the regions (at least one) and a block of 0-30 % of the volumes are set to zero, the
    amplitude is multiplied by U[0.8, 1.2], and Gaussian noise of standard deviation 0.1 is added.

    Parameters
    ----------
    x_BCT : Tensor
        Windows (batch, regions, volumes).
    generator : Generator
        Random number generator.
    out : Tensor, optional
        Tensor for the result, of the shape of `x_BCT`.
    """
    batch, regions, volumes = x_BCT.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=x_BCT.device)

    dropped_B1 = (uniform(batch, 1) * 0.1 * regions).floor().clamp(min=1)
    # Each row of the argsort is a random permutation, so exactly `dropped_B1` entries are below it.
    keep_BC = uniform(batch, regions).argsort(1) >= dropped_B1
    block_B1 = (uniform(batch, 1) * 0.3 * volumes).floor()
    start_B1 = (uniform(batch, 1) * (volumes - block_B1 + 1)).floor()
    time_T = torch.arange(volumes, device=x_BCT.device)
    keep_BT = (time_T < start_B1) | (time_T >= start_B1 + block_B1)
    gain_B1 = 0.8 + 0.4 * uniform(batch, 1)
    # `windows` returns a transposed view; contiguous memory makes the draws independent of strides.
    noise_BCT = (
        torch.empty_like(x_BCT, memory_format=torch.contiguous_format) if out is None else out
    )
    noise_BCT.normal_(std=0.1, generator=generator)
    # Accumulate onto the noise in place, which saves two temporaries of the size of the batch.
    # 0 · NaN is NaN, so a dropped region without data remains recognisable as missing.
    return noise_BCT.addcmul_(x_BCT * (keep_BC * gain_B1)[..., None], keep_BT[:, None])


def slice_masks(
    batch: int,
    networks: int,
    patches: int,
    mode: Literal["paper", "reference"],
    generator: Generator,
) -> Tensor:
    """Draw masks that hide, in each view, either whole networks or a block of time.

    Parameters
    ----------
    batch, networks, patches : int
        Shape of the masks.
    mode : {"paper", "reference"}
        ``paper`` hides a share U[0.65, 0.85] of networks or patches, rounded; ``reference`` hides
        as many as the reference implementation (5 or 6 of 9 networks; of 5 time patches 3 in 75 %
        and 4 in 25 % of the cases).
    generator : Generator
        Random number generator.

    Returns
    -------
    Tensor of bool
        (batch, networks, patches), True where hidden.
    """
    device = generator.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    low, high = MASKED_SHARE
    share_B1 = low + (high - low) * uniform(batch, 1)
    hidden_networks_B1, hidden_patches_B1 = _hidden_counts(share_B1, networks, patches, mode)
    networks_BN = uniform(batch, networks).argsort(1) < hidden_networks_B1
    start_B1 = (uniform(batch, 1) * (patches - hidden_patches_B1 + 1)).floor()
    time_P = torch.arange(patches, device=device)
    patches_BP = (time_P >= start_B1) & (time_P < start_B1 + hidden_patches_B1)
    by_network_B11 = uniform(batch, 1, 1) < 0.5
    # With a single network or patch, hiding along that axis would hide all or nothing.
    if patches == 1 or networks == 1:
        by_network_B11 = torch.full_like(by_network_B11, patches == 1)
    return torch.where(by_network_B11, networks_BN[:, :, None], patches_BP[:, None, :])


def _hidden_counts(
    share_B1: Tensor, networks: int, patches: int, mode: Literal["paper", "reference"]
) -> tuple[Tensor, Tensor]:
    """Return the numbers of networks and of patches to hide; at least one of each stays visible."""
    if mode == "paper":
        networks_B1 = (share_B1 * networks).round()
        patches_B1 = (share_B1 * patches).round()
    else:
        networks_B1 = (share_B1 * (networks - 1)).floor()
        patches_B1 = (share_B1 * patches).floor()
    return (
        networks_B1.clamp(min=1).clamp(max=networks - 1),
        patches_B1.clamp(min=1).clamp(max=patches - 1),
    )
