"""The rule `pretrain`: pretrain a model on files of time series."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Pretraining
from semantoks.errors import UserError
from semantoks.model.corpus.manifest import common_manifest
from semantoks.model.corpus.seen import SeenScans
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.checkpoint import CONFIG, save
from semantoks.model.pretrain.loop import Trained, fit
from semantoks.model.pretrain.schedule import in_as_many_steps
from semantoks.model.pretrain.settings import PretrainSettings
from semantoks.system.distributed import barrier, process_group, threads_of_process
from semantoks.system.memory import advise_when_out_of_memory, keep_freed_memory

METRICS = "metrics.parquet"
MEMORY_ADVICE = (
    "Set models.<name>.training.accumulation to 2 or more: the losses stay the same, and a step "
    "needs only a fraction of the memory."
)


def pretrain(
    settings: PretrainSettings,
    *,
    timeseries: Sequence[Path],
    out: Path,
    scans: Sequence[Path] = (),
    threads: int = 1,
) -> list[Path]:
    """Pretrain on files of regional time series.

    Parameters
    ----------
    settings : PretrainSettings
        Architecture and training.
    timeseries : sequence of Path
        Files of `semantoks.artifacts.timeseries`; all must have the same manifest.
    out : Path
        ``encoder.safetensors``, the teacher; ``config.json``, ``README.md`` and
        ``metrics.parquet`` (one row per epoch) are written to the same folder.
    scans : sequence of Path
        Tables of scans, if people of any data set are held out: of these data sets and of those.
        Recordings of held-out people are then left out under whatever id.
    threads : int
        CPU threads, of all ranks together if they were started with ``--on-cpu``.

    Returns
    -------
    list of Path
        Weights, description and metrics.

    Raises
    ------
    UserError
        If the manifests differ, there are too few scans, it is not known who is held out, the
        training diverges or collapses, or memory runs out.
    """
    if not timeseries:
        raise UserError("Pretraining needs files of time series, found none. Name some data sets.")
    # Call it first: blocks that were allocated before would still be returned to the system.
    keep_freed_memory()
    torch.set_num_threads(threads_of_process(threads))
    manifest = common_manifest(timeseries, settings.model.allow_mismatch)
    # Every process makes one, but only rank 0 iterates and so reads the files.
    seen = SeenScans(timeseries, scans, settings.people)
    training = settings.model.training
    if settings.people is not None:
        counts = seen.counts()
        training = in_as_many_steps(training, counts.scans, counts.scans_of_all)
    with advise_when_out_of_memory(MEMORY_ADVICE):
        pretrain_arrays(
            seen,
            manifest.networks,
            settings.model.model_copy(update={"training": training}),
            out.parent,
            manifest=manifest,
            summary=seen.summary,
        )
    return [out, out.with_name(CONFIG), out.with_name(METRICS)]


def pretrain_arrays(
    scans: Iterable[np.ndarray],
    networks: Sequence[str],
    settings: Pretraining,
    folder: Path,
    *,
    manifest: Manifest | None = None,
    summary: Mapping[str, int] | None = None,
    device: str | None = None,
    checkpoint_seconds: float = 60.0,
) -> SelfDistillation:
    """Pretrain on arrays and write the model; also in each rank of several.

    Parameters
    ----------
    scans : iterable of ndarray, shape (regions, volumes)
        z-scored time series; NaN where a region is not covered. Scans shorter than a window are
        excluded. They are iterated over once and need not fit into memory.
    networks : sequence of str
        Network of each region.
    settings : Pretraining
        Architecture and training.
    folder : Path
        Folder for ``encoder.safetensors`` (the teacher), ``config.json``, ``README.md`` and
        ``metrics.parquet`` (one row per epoch). ``folder/checkpoint`` exists during the training;
        after a kill, the same call resumes from it.
    manifest : Manifest, optional
        Of the time series; stored in the model, so that `embed` can check its input.
    summary : mapping of str to int, optional
        Added to the summary of the training in ``config.json``; read after the training.
    device : str, optional
        Device to train on (default: the GPU if there is one).
    checkpoint_seconds : float
        Minimum time between two checkpoints.

    Returns
    -------
    SelfDistillation
        The trained student and teacher.

    Raises
    ------
    UserError
        If there are too few scans, or the training diverges or collapses.
    """
    scratch = folder / "checkpoint"
    with process_group(device) as (process, process_device):
        if not process.is_first:
            logging.getLogger("semantoks").setLevel(logging.ERROR)
        trained = fit(
            scans, networks, settings, scratch, process, process_device, checkpoint_seconds
        )
        trained.model.teacher.manifest = trained.model.student.manifest = manifest
        if process.is_first:
            _write(trained, folder, summary or {})
        # Other processes may still read the packed scans, for the metrics of the last epoch.
        barrier()
        if process.is_first:
            shutil.rmtree(scratch, ignore_errors=True)
    return trained.model


def _write(trained: Trained, folder: Path, summary: Mapping[str, int]) -> None:
    save(trained.model, folder, {**trained.summary, **summary})
    write_table(folder / METRICS, pd.DataFrame(trained.epochs), of_people=False)
