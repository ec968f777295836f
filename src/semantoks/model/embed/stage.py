"""The rule `embed`: feature vectors of scans from a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from semantoks.artifacts.excerpts import first_seconds
from semantoks.artifacts.representations import FeatureBlock, write_representation
from semantoks.artifacts.timeseries import Scan, iter_scans, require_included
from semantoks.config import BLOCK_WEIGHTS, OF_ENCODER
from semantoks.model.embed.readouts import present_blocks
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.embed.sources import open_readouts
from semantoks.system.memory import advise_when_out_of_memory, keep_freed_memory
from semantoks.system.threads import mapped

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
    connectome: Path | None = None,
    participants: Path | None = None,
    threads: int = 1,
) -> list[Path]:
    """Embed the included scans of time-series files and write them as a representation.

    Each thread embeds a scan of its own, so only a few scans are in memory, and the features do
    not depend on the number of threads.

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
    connectome : Path, optional
        ``connectome.safetensors`` of the model, for the readouts that need it.
    participants : Path, optional
        Table of participants, for ``recentre: site``.
    threads : int
        CPU threads.

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        If a file does not fit the model, what the readout needs is not there, no scan is included
        or has an embedding, or memory runs out.
    """
    keep_freed_memory()
    # NumPy's matrices have a few hundred rows, for which threads cost more than they save.
    with threadpool_limits(1, user_api="blas"):
        readouts = open_readouts(settings, model, timeseries, connectome, participants)
        table = require_included(timeseries, "embed")
        # `require_included` and `iter_scans` both sort by scan, so features and rows correspond.
        scans = first_seconds(iter_scans(timeseries), settings.seconds)
        # On a GPU threads gain nothing: the kernels of a stream run one after another.
        threads = 1 if torch.cuda.is_available() else threads
        if settings.readout in OF_ENCODER:
            read: Callable[[Scan], np.ndarray] = partial(readouts.windows, settings.readout)
            rows = mapped(read, scans, threads)
            write_representation(out, table, rows, windows=True)
            return [out]
        blocks = present_blocks(settings.blocks_read, readouts)
        rows = mapped(partial(readouts.read_all, blocks), scans, threads)
        named = [FeatureBlock(b, readouts.size(b), BLOCK_WEIGHTS.get(b, 1.0)) for b in blocks]
        write_representation(out, table, rows, blocks=named if settings.readout == "full" else ())
    return [out]
