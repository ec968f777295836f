"""From scans to feature vectors, with a trained encoder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from semantoks.config import Readout
from semantoks.errors import UserError
from semantoks.model import Encoder
from semantoks.model.checkpoint import load_encoder
from semantoks.model.inputs import require_match
from semantoks.representations import write_representation
from semantoks.store import Manifest, Scan, iter_scans, read_manifest, read_scan_table

logger = logging.getLogger(__name__)


def embed_files(
    model: str | Path,
    timeseries: Sequence[Path],
    out: Path,
    *,
    readout: Readout = "pooled",
    windows: int = 8,
    allow_mismatch: Sequence[str] = (),
    threads: int | None = None,
) -> None:
    """Embed the included scans of time-series files and write them as a representation.

    Parameters
    ----------
    model : path or str
        Anything that `load_encoder` takes.
    timeseries : sequence of path
        Files written by `semantoks.store`.
    out : path
        Parquet file, one row per scan.
    readout, windows, allow_mismatch, threads
        As for `embed_windows`.

    Raises
    ------
    UserError
        If a file does not fit the model, or no scan can be embedded.
    """
    encoder = load_encoder(model).to("cuda" if torch.cuda.is_available() else "cpu")
    ids: list[str] = []
    parts: list[list[np.ndarray]] = []
    for path in timeseries:
        manifest, scans = read_manifest(path), iter_scans([path])
        found, features = embed_windows(
            encoder,
            scans,
            manifest,
            readout=readout,
            windows=windows,
            allow_mismatch=allow_mismatch,
            threads=threads,
            where=str(path),
        )
        ids += found
        parts.append(features)
    if not ids:
        raise UserError(
            f"None of {len(timeseries)} time-series files holds a scan that can be embedded. Look "
            "in the scan tables why scans were excluded."
        )
    table = read_scan_table(timeseries).set_index("scan").loc[ids].reset_index()
    kept = [scan for part in parts for scan in part]
    means = np.stack([scan.mean(axis=0) for scan in kept])
    write_representation(out, table, means, windows=kept)


def embed_windows(
    encoder: Encoder,
    scans: Iterable[Scan],
    manifest: Manifest | None = None,
    *,
    readout: Readout = "pooled",
    windows: int = 8,
    allow_mismatch: Sequence[str] = (),
    threads: int | None = None,
    where: str = "The time series",
) -> tuple[list[str], list[np.ndarray]]:
    """Embed the evenly spaced windows of each scan.

    Parameters
    ----------
    encoder : Encoder
        A trained encoder.
    scans : iterable of Scan
        Read one at a time. A scan shorter than a window is embedded from one shorter window; one
        shorter than a patch gets NaN, with a warning.
    manifest : Manifest, optional
        What the time series are; compared with what the encoder expects.
    readout : {"pooled", "networks"}
        The mean token and [CLS], as in the paper, or one vector per network.
    windows : int
        Windows per scan; a short scan has fewer different ones.
    allow_mismatch : sequence of str
        Fields of the manifest that may differ.
    threads : int, optional
        CPU threads (default: PyTorch's choice).
    where : str
        What the scans are, for messages.

    Returns
    -------
    ids : list of str
        The scans, in the order given.
    features : list of ndarray of float32, shape (windows, 2·width) or (windows, networks·width)

    Raises
    ------
    UserError
        If the manifests differ, naming the fields, or the regions are not those of the model.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    if manifest is not None:
        # Of a checkpoint of the reference only the networks of its regions are known.
        known = encoder.manifest or manifest.model_copy(update={"networks": encoder.networks})
        require_match(known, manifest, where, allow_mismatch)
    ids: list[str] = []
    features: list[np.ndarray] = []
    for scan in scans:
        ids.append(scan.scan)
        features.append(_embed_scan(encoder, scan.timeseries_CT, readout, windows))
        if scan.timeseries_CT.shape[1] < encoder.architecture.patch:
            logger.warning(
                "%s has %d volumes, less than a patch (%d): its features are NaN.",
                scan.scan,
                scan.timeseries_CT.shape[1],
                encoder.architecture.patch,
            )
    return ids, features


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
    mean: np.ndarray = _embed_scan(encoder, timeseries_CT, readout, windows).mean(axis=0)
    return mean


@torch.inference_mode()
def _embed_scan(
    encoder: Encoder, timeseries_CT: np.ndarray, readout: Readout, windows: int
) -> np.ndarray:
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
