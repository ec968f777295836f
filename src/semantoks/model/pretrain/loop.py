"""The training loop, to be read from top to bottom."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Pretraining
from semantoks.errors import UserError
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.checkpoint import save
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from semantoks.model.pretrain.monitor import measure, raise_if_not_finite, raise_on_collapse
from semantoks.model.pretrain.progress import Progress
from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.state import Checkpoint, TrainingState, fingerprint
from semantoks.model.pretrain.step import lots, train_step, weight_decay_groups
from semantoks.model.pretrain.views import PackedScans
from semantoks.system.distributed import Process, joined, wait

logger = logging.getLogger(__name__)

MEASURED_SCANS = 64
# What is summed over the steps of an epoch.
SUMS = ("total", "cls", "ttr", "token", "gradient_norm")


def fit(
    scans: Iterable[np.ndarray],
    networks: Sequence[str],
    settings: Pretraining,
    out: Path,
    *,
    manifest: Manifest | None = None,
    device: str | None = None,
    checkpoint_seconds: float = 60.0,
) -> SelfDistillation:
    """Pretrain on arrays; in each process that ``torchrun`` started, if it did.

    Parameters
    ----------
    scans : iterable of ndarray, shape (regions, volumes)
        z-scored time series; NaN where a region is not covered. Scans shorter than a window are
        left out. They are read once and packed into a file below `out`, so that there may be
        more than fit into memory.
    networks : sequence of str
        Network of each region.
    settings : Pretraining
        Architecture and training.
    out : path
        Folder for ``encoder.safetensors`` (the teacher), ``config.json``, ``README.md`` and
        ``metrics.parquet`` (one row per epoch). ``out/checkpoint`` exists during the training:
        run again after a kill, it goes on from there.
    device : str, optional
        Where to train (default: the GPU if there is one).
    manifest : Manifest, optional
        What the time series are, for those who use the encoder.
    checkpoint_seconds : float
        Time between two checkpoints.

    Returns
    -------
    SelfDistillation
        The trained student and teacher.
    """
    with joined(device) as (process, own_device):
        if not process.first:
            logging.getLogger("semantoks").setLevel(logging.ERROR)
        folder = out / "checkpoint"
        if process.first:
            PackedScans.write(folder, _long_enough(scans, settings.architecture.window))
        wait()
        packed = PackedScans.open(folder)
        schedule = Schedule.plan(settings.training, len(packed.length_S), process.count)
        mark = fingerprint(settings, networks, packed, (schedule.batch, lots(schedule, process)))
        state = begin(settings, networks, own_device)
        state.resume(folder / "state.safetensors", mark)
        keep = Checkpoint(folder / "state.safetensors", mark, checkpoint_seconds, process.first)
        _train(state, packed.to(state.sums.device), schedule, settings, process, keep)
        model = state.model
        model.teacher.manifest = model.student.manifest = manifest
        if process.first:
            save(model, out, _summary(state, schedule, settings))
            write_table(out / "metrics.parquet", pd.DataFrame(state.rows))
            shutil.rmtree(folder, ignore_errors=True)
        wait()
    return model


def _train(
    state: TrainingState,
    packed: PackedScans,
    schedule: Schedule,
    settings: Pretraining,
    process: Process,
    checkpoint: Checkpoint,
) -> None:
    progress = Progress(schedule, state.step)
    for epoch in range(state.step // schedule.steps_per_epoch, schedule.training.epochs):
        for scan_B in schedule.order(epoch)[state.step % schedule.steps_per_epoch :]:
            checkpoint.save_if_due(state)
            scan_B = scan_B.to(state.sums.device, non_blocking=True)
            train_step(state, scan_B, packed, schedule, settings, process)
            progress.log(state)
        _finish_epoch(state, packed, schedule, settings)


def build(settings: Pretraining, networks: Sequence[str]) -> SelfDistillation:
    """Make an untrained model; its initial values depend on the seed only."""
    sizes = settings.architecture
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.training.seed)
        return SelfDistillation(
            Encoder(sizes, networks),
            Projector(sizes.width, sizes.projector_hidden, sizes.projector_output),
            settings.training.token_weight,
            settings.training.teacher_momentum,
        )


def begin(settings: Pretraining, networks: Sequence[str], device: str) -> TrainingState:
    """Make an untrained model with its optimiser on a device, at step 0."""
    training, on_gpu = settings.training, device.startswith("cuda")
    model = build(settings, networks).to(device)
    if training.compile == "always" or (training.compile == "auto" and on_gpu):
        # Student and teacher, with and without masks and tokens, and the measures of an epoch.
        torch._dynamo.config.recompile_limit = 32
        for encoder in (model.student, model.teacher):
            encoder.encode = torch.compile(encoder.encode, dynamic=False)  # type: ignore[method-assign]
    bfloat16 = training.precision == "bfloat16" or (training.precision == "auto" and on_gpu)
    return TrainingState(
        model,
        torch.optim.AdamW(weight_decay_groups(model), weight_decay=0.0, fused=True),
        torch.zeros(len(SUMS), device=device),
        torch.bfloat16 if bfloat16 else None,
    )


def _long_enough(scans: Iterable[np.ndarray], window: int) -> Iterator[np.ndarray]:
    """Pass on the scans of a window or more; at the end, say how many were not."""
    kept, found = 0, 0
    for scan in scans:
        found += 1
        if scan.shape[1] >= window:
            kept += 1
            yield scan
    if kept < found:
        logger.warning(
            "%d of %d scans are shorter than a window (%d volumes) and left out of the training.",
            found - kept,
            found,
            window,
        )
    if kept < 2:
        raise UserError(
            f"Pretraining needs at least 2 scans of {window} volumes or more, found {kept} "
            f"among {found}. Add data, or make architecture.window smaller."
        )


def _finish_epoch(
    state: TrainingState, packed: PackedScans, schedule: Schedule, settings: Pretraining
) -> None:
    sums = dict(zip(SUMS, state.sums.tolist(), strict=True))
    mean = {name: value / schedule.steps_per_epoch for name, value in sums.items()}
    # Steps without masks have no token loss.
    mean["token"] = sums["token"] / max(1, state.masked_steps)
    epoch = state.step // schedule.steps_per_epoch
    raise_if_not_finite(mean["total"], epoch)
    row = {
        "epoch": epoch,
        "step": state.step,
        "loss": mean.pop("total"),
        **mean,
        "learning_rate": schedule.learning_rate(state.step - 1),
        "weight_decay": schedule.weight_decay(state.step - 1),
        **measure(state.model, _middle_windows(packed, settings.architecture.window)),
    }
    state.rows.append(row)
    state.sums.zero_()
    state.masked_steps = 0
    raise_on_collapse(state.rows, settings.training.warmup_epochs)


def _middle_windows(packed: PackedScans, window: int) -> Tensor:
    """Return the same windows every time, one per scan, for the measures of an epoch."""
    scans = len(packed.length_S)
    device = packed.length_S.device
    scan_B = torch.linspace(0, scans - 1, min(scans, MEASURED_SCANS), device=device).long()
    return packed.windows(scan_B, (packed.length_S[scan_B] - window) // 2, window)


def _summary(state: TrainingState, schedule: Schedule, settings: Pretraining) -> dict[str, object]:
    return {
        "scans": schedule.scans,
        "batch_size": schedule.batch,
        "epochs": settings.training.epochs,
        "steps": state.step,
        "final": state.rows[-1] if state.rows else {},
        "settings": settings.training.model_dump(mode="json"),
    }
