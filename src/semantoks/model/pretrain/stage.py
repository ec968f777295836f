"""Pretrain a model on files of time series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from semantoks.artifacts.timeseries import iter_scans, read_manifest
from semantoks.errors import UserError
from semantoks.model.files.match import require_match
from semantoks.model.pretrain.settings import PretrainSettings
from semantoks.system.memory import advice_when_memory_ends, keep_freed_memory

ADVICE = (
    "Set models.<name>.training.accumulation to 2 or more: the losses stay the same and a step "
    "takes a part of the memory."
)


def pretrain(
    settings: PretrainSettings, *, timeseries: Sequence[Path], out: Path, threads: int = 1
) -> list[Path]:
    """Pretrain on files of regional time series.

    Parameters
    ----------
    settings : PretrainSettings
    timeseries : sequence of path
        Files of `semantoks.artifacts.timeseries`; all must have the same manifest.
    out : path
        ``encoder.safetensors``, the teacher; ``config.json``, ``README.md`` and
        ``metrics.parquet`` (one row per epoch) go beside it.
    threads : int
        CPU threads.

    Returns
    -------
    list of Path
        Weights, description and metrics.

    Raises
    ------
    UserError
        If the files do not go together, there are too few scans, or the model collapses.
    """
    if not timeseries:
        raise UserError("Pretraining needs files of time series, found none. Name some data sets.")
    keep_freed_memory()  # before PyTorch allocates anything
    import torch

    from semantoks.model.pretrain.loop import fit

    torch.set_num_threads(threads)
    manifests = [read_manifest(path) for path in timeseries]
    manifest = next((m for m in manifests if m.space), manifests[0])  # a file may have no scan
    for path, other in zip(timeseries, manifests, strict=True):
        require_match(manifest, other, str(path), settings.model.allow_mismatch)
    scans = (scan.timeseries_CT for scan in iter_scans(timeseries))
    with advice_when_memory_ends(ADVICE):
        fit(scans, manifest.networks, settings.model, out.parent, manifest=manifest)
    return [out, *(out.with_name(name) for name in ("config.json", "metrics.parquet"))]
