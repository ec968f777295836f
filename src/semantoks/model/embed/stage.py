"""From scans to feature vectors, with a trained encoder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.timeseries import (
    Manifest,
    Scan,
    iter_scans,
    read_manifest,
    read_scan_table,
)
from semantoks.config import Readout
from semantoks.errors import UserError
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.files.match import require_match
from semantoks.model.network.encoder import Encoder
from semantoks.system.memory import advice_when_memory_ends, keep_freed_memory

logger = logging.getLogger(__name__)


def embed(
    settings: EmbedSettings,
    *,
    model: Path,
    timeseries: Sequence[Path],
    out: Path,
    config: Path | None = None,
    threads: int = 1,
) -> list[Path]:
    """Embed the included scans of time-series files and write them as a representation.

    One scan at a time is in memory.

    Parameters
    ----------
    settings : EmbedSettings
    model : path
        ``encoder.safetensors`` with ``config.json`` beside it.
    timeseries : sequence of path
        Files of `semantoks.artifacts.timeseries`.
    out : path
        Parquet file, one row per scan.
    config : path, optional
        ``config.json``, so that its hash is recorded.
    threads : int
        CPU threads.

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        If a file does not fit the model, or no scan can be embedded.
    """
    keep_freed_memory()
    torch.set_num_threads(threads)
    encoder = load_encoder(model).to("cuda" if torch.cuda.is_available() else "cpu")
    for path in timeseries:
        require_fit(encoder, read_manifest(path), str(path), settings.allow_mismatch)
    table = read_scan_table(timeseries)
    table = table[table["status"] == "ok"]
    if table.empty:
        raise UserError(
            f"None of {len(timeseries)} time-series files holds a scan that can be embedded. Look "
            "in the scan tables why scans were excluded."
        )
    embedded = (_embed(encoder, scan, settings.readout) for scan in iter_scans(timeseries))
    with advice_when_memory_ends("Give the job more memory, or a GPU that nobody else uses."):
        write_representation(out, table, embedded, windows=True)
    return [out]


def require_fit(
    encoder: Encoder, manifest: Manifest, where: str, allow_mismatch: Sequence[str] = ()
) -> None:
    """Refuse time series that are not what the encoder was trained on.

    Raises
    ------
    UserError
        If the manifests differ, naming the fields, or the regions are not those of the model.
    """
    # Of a checkpoint of the reference only the networks of its regions are known.
    known = encoder.manifest or manifest.model_copy(update={"networks": encoder.networks})
    require_match(known, manifest, where, allow_mismatch)


def _embed(encoder: Encoder, scan: Scan, readout: Readout) -> np.ndarray:
    volumes, patch = scan.timeseries_CT.shape[1], encoder.architecture.patch
    if volumes < patch:
        logger.warning(
            "%s has %d volumes, less than a patch (%d): its features are NaN.",
            scan.scan,
            volumes,
            patch,
        )
    return embed_windows(encoder, scan.timeseries_CT, readout)


def _size(encoder: Encoder, readout: Readout) -> int:
    vectors = 2 if readout == "pooled" else len(encoder.order)
    return vectors * encoder.architecture.width


def embed_timeseries(
    encoder: Encoder,
    timeseries_CT: np.ndarray,
    readout: Readout = "pooled",
    windows: int = 8,
) -> np.ndarray:
    """Embed one scan of z-scored time series, (regions, volumes): the mean over its windows."""
    mean: np.ndarray = embed_windows(encoder, timeseries_CT, readout, windows).mean(axis=0)
    return mean


@torch.inference_mode()
def embed_windows(
    encoder: Encoder, timeseries_CT: np.ndarray, readout: Readout = "pooled", windows: int = 8
) -> np.ndarray:
    """Embed the evenly spaced windows of a scan.

    Parameters
    ----------
    encoder : Encoder
        A trained encoder.
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored. A scan shorter than a window is embedded from one shorter window; one shorter
        than a patch gets NaN.
    readout : {"pooled", "networks"}
        The mean token and [CLS], as in the paper, or one vector per network.
    windows : int
        How many; a short scan has fewer different ones.

    Returns
    -------
    ndarray of float32, shape (windows, 2·width) or (windows, networks·width)
    """
    sizes = encoder.architecture
    volumes = timeseries_CT.shape[1]
    window = min(sizes.window, volumes // sizes.patch * sizes.patch)
    if window == 0:
        return np.full((1, _size(encoder, readout)), np.nan, np.float32)
    # A short scan has fewer different windows than are asked for.
    starts = np.unique(np.linspace(0, volumes - window, windows).round().astype(int))
    windows_WCT = np.stack([timeseries_CT[:, start : start + window] for start in starts])
    device = encoder.cls_embedding.device
    x_WCT = torch.from_numpy(windows_WCT).to(device, encoder.cls_embedding.dtype)
    read = encoder.embed if readout == "pooled" else encoder.embed_networks
    embedding: np.ndarray = read(x_WCT).float().cpu().numpy()
    return embedding
