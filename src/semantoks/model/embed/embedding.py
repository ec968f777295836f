"""Embed the windows of a scan with a trained encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from semantoks.config import Readout
from semantoks.model.network.encoder import Encoder

WINDOWS = 8


def cut_windows(
    timeseries_CT: np.ndarray, encoder: Encoder, starts: Sequence[int] | None = None
) -> tuple[np.ndarray, int | None]:
    """Cut a scan into windows of the length that an encoder is trained with.

    What is shorter than a window, such as a block of a task, is padded with zeros, the mean of a
    region (docs/decisions/0018-task-blocks.md).

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
    encoder : Encoder
    starts : sequence of int, optional
        First volumes of the windows (default: `WINDOWS` that are evenly spaced, without repeats).

    Returns
    -------
    windows_WCT : ndarray
    patches : int or None
        Number of patches that hold data; None if all do.
    """
    window, patch = encoder.architecture.window, encoder.architecture.patch
    missing = max(window - timeseries_CT.shape[1], 0)
    # The last patch with data may be zero at its end, as in augmented windows of the training.
    patches = -(-timeseries_CT.shape[1] // patch) if missing else None
    if missing:
        timeseries_CT = np.pad(timeseries_CT, ((0, 0), (0, missing)))
    if starts is None:
        starts = evenly_spaced(timeseries_CT.shape[1], window)
    return np.stack([timeseries_CT[:, start : start + window] for start in starts]), patches


def evenly_spaced(volumes: int, window: int, windows: int = WINDOWS) -> list[int]:
    """Return the distinct first volumes of windows that are evenly spaced over a scan."""
    starts = np.linspace(0, volumes - window, windows).round().astype(int)
    return [int(start) for start in np.unique(starts)]


@torch.inference_mode()
def embed_windows(
    encoder: Encoder, timeseries_CT: np.ndarray, readout: Readout = "pooled", windows: int = WINDOWS
) -> np.ndarray:
    """Embed evenly spaced windows of a scan; their mean is the embedding of the scan.

    Parameters
    ----------
    encoder : Encoder
        A trained encoder, in evaluation mode.
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored time series; see `cut_windows` for short ones, whose patches without data are
        masked. A scan in which no network has enough regions with data yields NaN: its tokens
        would be those of an empty scan. Single windows like that are left out.
    readout : {"pooled", "networks"}
        ``pooled`` is the mean token and [CLS], as in the paper; ``networks`` is one vector per
        network.
    windows : int
        Number of windows. A scan that is hardly longer than a window has fewer distinct ones,
        and gets only these.

    Returns
    -------
    ndarray of float32, shape (windows, 2·width) or (windows, networks·width)
    """
    window = encoder.architecture.window
    starts = evenly_spaced(max(timeseries_CT.shape[1], window), window, windows)
    windows_WCT, patches = cut_windows(timeseries_CT, encoder, starts)
    device = encoder.cls_embedding.device
    x_WCT = torch.from_numpy(windows_WCT).to(device, encoder.cls_embedding.dtype)
    x_WCT = x_WCT[encoder.presence(x_WCT).any(dim=1)]
    if not len(x_WCT):
        return np.full((1, embedding_size(encoder, readout)), np.nan, np.float32)
    read = encoder.embed if readout == "pooled" else encoder.embed_networks
    with _one_thread():
        embedding: np.ndarray = read(x_WCT, patches).float().cpu().numpy()
    return embedding


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let PyTorch use one CPU thread, which it counts per calling thread.

    Operations on the windows of a single scan are too small to be divided, and the features do not
    depend on the number of threads then.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def embedding_size(encoder: Encoder, readout: Readout) -> int:
    """Return the number of features of a window, of the readout ``pooled`` or ``networks``."""
    vectors = 2 if readout == "pooled" else len(encoder.order)
    return vectors * encoder.architecture.width
