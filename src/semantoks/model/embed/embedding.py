"""Embed the windows of a scan with a trained encoder."""

from __future__ import annotations

import numpy as np
import torch

from semantoks.config import Readout
from semantoks.model.network.encoder import Encoder

WINDOWS = 8


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
        z-scored time series. What is shorter than a training window, such as a block of a task, is
        padded with zeros, the mean of a region, and patches without data are masked
        (docs/decisions/0018-task-blocks.md). A scan in which no network has enough regions with
        data yields NaN: its tokens would be those of an empty scan. Single windows like that are
        left out.
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
    window, patch = encoder.architecture.window, encoder.architecture.patch
    missing = max(window - timeseries_CT.shape[1], 0)
    # The last patch with data may be zero at its end, as in augmented windows of the training.
    patches = -(-timeseries_CT.shape[1] // patch) if missing else None
    timeseries_CT = np.pad(timeseries_CT, ((0, 0), (0, missing)))
    volumes = timeseries_CT.shape[1]
    starts = np.unique(np.linspace(0, volumes - window, windows).round().astype(int))
    windows_WCT = np.stack([timeseries_CT[:, start : start + window] for start in starts])
    device = encoder.cls_embedding.device
    x_WCT = torch.from_numpy(windows_WCT).to(device, encoder.cls_embedding.dtype)
    x_WCT = x_WCT[encoder.presence(x_WCT).any(dim=1)]
    if not len(x_WCT):
        return np.full((1, embedding_size(encoder, readout)), np.nan, np.float32)
    read = encoder.embed if readout == "pooled" else encoder.embed_networks
    embedding: np.ndarray = read(x_WCT, patches).float().cpu().numpy()
    return embedding


def embedding_size(encoder: Encoder, readout: Readout) -> int:
    """Return the number of features of a window, of the readout ``pooled`` or ``networks``."""
    vectors = 2 if readout == "pooled" else len(encoder.order)
    return vectors * encoder.architecture.width
