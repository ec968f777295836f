"""The rule `embed`: feature vectors of scans from a trained encoder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.timeseries import (
    Scan,
    included_scans,
    iter_scans,
    read_manifest,
    read_scan_table,
    why_excluded,
)
from semantoks.config import Readout
from semantoks.errors import UserError
from semantoks.model.embed.embedding import embed_windows
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.files.match import require_fit
from semantoks.model.network.encoder import Encoder
from semantoks.system.memory import advise_when_out_of_memory, keep_freed_memory

logger = logging.getLogger(__name__)

MEMORY_ADVICE = "Give the job more memory, or a GPU that no other job uses."


# Loading the model and moving it to the GPU can run out of memory too, not only embedding.
@advise_when_out_of_memory(MEMORY_ADVICE)
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

    Only one scan at a time is in memory.

    Parameters
    ----------
    settings : EmbedSettings
    model : Path
        ``encoder.safetensors``, with ``config.json`` in the same folder.
    timeseries : sequence of Path
        Files of `semantoks.artifacts.timeseries`.
    out : Path
        Parquet file with one row per scan.
    config : Path, optional
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
        If a file does not fit the model, no scan is included or has an embedding, or memory runs
        out.
    """
    keep_freed_memory()
    torch.set_num_threads(threads)
    encoder = load_encoder(model).to("cuda" if torch.cuda.is_available() else "cpu")
    for path in timeseries:
        require_fit(encoder, read_manifest(path), str(path), settings.allow_mismatch)
    scans = read_scan_table(timeseries)
    table = included_scans(scans)
    if table.empty:
        raise UserError(
            f"None of {len(timeseries)} time-series files holds a scan that can be embedded."
            f"{why_excluded(scans)} The scan tables give the reason of each."
        )
    # `read_scan_table` and `iter_scans` both sort by scan, so features and rows correspond.
    embedded = (_embed_scan(encoder, scan, settings.readout) for scan in iter_scans(timeseries))
    write_representation(out, table, embedded, windows=True)
    return [out]


def _embed_scan(encoder: Encoder, scan: Scan, readout: Readout) -> np.ndarray:
    """Embed a scan, and say why where it has no embedding."""
    embedding = embed_windows(encoder, scan.timeseries_CT, readout)
    if not np.isfinite(embedding).any():
        logger.warning(
            "%s has too few regions with data in every network: its features are NaN.", scan.scan
        )
    return embedding
