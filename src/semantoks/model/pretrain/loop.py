"""The training loop."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
import torch
from torch import Tensor

from semantoks.config import Pretraining
from semantoks.errors import UserError
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.pretrain.monitor import (
    Metrics,
    measure,
    raise_if_diverged,
    raise_if_not_finite,
    raise_on_collapse,
)
from semantoks.model.pretrain.packed import PackedScans
from semantoks.model.pretrain.progress import Progress
from semantoks.model.pretrain.resume import Checkpoint, fingerprint
from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.state import SUMS, TrainingState, initial_state
from semantoks.model.pretrain.step import chunk_count, train_step
from semantoks.system.distributed import Process, barrier

logger = logging.getLogger(__name__)

MEASURED_SCANS = 64


class TrainingSummary(TypedDict):
    """The part of ``config.json`` that describes the training."""

    scans: int
    batch_size: int
    epochs: int
    steps: int
    final: Metrics
    settings: dict[str, object]


class Trained(NamedTuple):
    """A trained model.

    Attributes
    ----------
    model : SelfDistillation
        Student and teacher.
    epochs : list of Metrics
        Metrics of each epoch.
    summary : TrainingSummary
    """

    model: SelfDistillation
    epochs: list[Metrics]
    summary: TrainingSummary


def fit(
    scans: Iterable[np.ndarray],
    networks: Sequence[str],
    settings: Pretraining,
    scratch: Path,
    process: Process,
    device: str,
    checkpoint_seconds: float,
) -> Trained:
    """Pretrain a model, or resume its training; the other ranks do the same.

    Parameters
    ----------
    scans : iterable of ndarray, shape (regions, volumes)
        z-scored time series; NaN where a region is not covered. Scans shorter than a window are
        excluded. Rank 0 iterates over them once, with one at a time in memory.
    networks : sequence of str
        Network of each region.
    settings : Pretraining
        Architecture and training.
    scratch : Path
        Folder for packed scans and checkpoints, seen by all processes. The caller deletes it.
    process : Process
        This process.
    device : str
        Device to train on.
    checkpoint_seconds : float
        Minimum time between two checkpoints.

    Raises
    ------
    UserError
        If there are too few scans, or the training diverges or collapses.
    """
    if process.is_first:
        PackedScans.write(scratch, _long_enough(scans, settings.architecture.window))
    barrier()
    # After the barrier: rank 0 writes the file, and the others map it only when it is complete.
    packed = PackedScans.open(scratch)
    schedule = Schedule.plan(settings.training, len(packed.length_S), process.world_size)
    shares = (schedule.batch, chunk_count(schedule, process))
    checkpoint = Checkpoint(
        scratch / "state.safetensors",
        fingerprint(settings, networks, packed, shares),
        checkpoint_seconds,
        process.is_first,
    )
    state = initial_state(settings, networks, device)
    checkpoint.resume(state)
    _train(state, packed.to(state.sums.device), schedule, settings, process, checkpoint)
    return Trained(state.model, state.epochs, _summary(state, schedule, settings))


def _train(
    state: TrainingState,
    packed: PackedScans,
    schedule: Schedule,
    settings: Pretraining,
    process: Process,
    checkpoint: Checkpoint,
) -> None:
    """Run the steps that are left, also those of an epoch that was interrupted."""
    progress = Progress(schedule, state.step)
    for epoch in range(state.step // schedule.steps_per_epoch, schedule.training.epochs):
        for scan_B in schedule.order(epoch)[state.step % schedule.steps_per_epoch :]:
            # Save before a step. After the last of an epoch, the file would lack the metrics of
            # that epoch, and a resumed run would never add them.
            checkpoint.save_if_due(state)
            scan_B = scan_B.to(state.sums.device, non_blocking=True)
            train_step(state, scan_B, packed, schedule, settings, process)
            progress.log(state)
        _finish_epoch(state, packed, schedule, settings, process)


def _long_enough(scans: Iterable[np.ndarray], window: int) -> Iterator[np.ndarray]:
    """Yield the scans with data of at least a window, and at the end warn about the others."""
    included, short, total = 0, 0, 0
    for scan in scans:
        total += 1
        if scan.shape[1] < window:
            short += 1
        elif np.isfinite(scan).all(axis=1).any():
            included += 1
            yield scan
    if short:
        logger.warning(
            "%d of %d scans are shorter than a window (%d volumes) and excluded from the training.",
            short,
            total,
            window,
        )
    if empty := total - included - short:
        logger.warning(
            "%d of %d scans have no region with data and are excluded from the training.",
            empty,
            total,
        )
    if included < 2:
        raise UserError(
            f"Pretraining needs at least 2 scans of {window} volumes or more, found {included} "
            f"among {total}. Add data, or make architecture.window smaller."
        )


def _finish_epoch(
    state: TrainingState,
    packed: PackedScans,
    schedule: Schedule,
    settings: Pretraining,
    process: Process,
) -> None:
    """Append the metrics of the epoch, check them, and reset the sums."""
    sums = dict(zip(SUMS, state.sums.tolist(), strict=True))
    mean = {name: value / schedule.steps_per_epoch for name, value in sums.items()}
    # Only steps with masks have a token loss.
    mean["token"] = sums["token"] / max(1, state.masked_steps)
    epoch = state.step // schedule.steps_per_epoch
    # Before `measure`, where svdvals would raise an error for NaN. The losses are averaged over
    # processes, so either all of them stop here or none.
    raise_if_not_finite(mean["total"], epoch)
    raise_if_diverged(state.model, epoch)
    metrics: Metrics = {
        "epoch": epoch,
        "step": state.step,
        "loss": mean.pop("total"),
        **mean,
        "learning_rate": schedule.learning_rate(state.step - 1),
        "weight_decay": schedule.weight_decay(state.step - 1),
        **measure(state.model, _middle_windows(packed, settings.architecture.window), process),
    }
    state.epochs.append(metrics)
    state.sums.zero_()
    state.masked_steps = 0
    raise_on_collapse(state.epochs, settings.training.warmup_epochs)


def _middle_windows(packed: PackedScans, window: int) -> Tensor:
    """Return the middle window of up to 64 scans, the same in every epoch."""
    scans = len(packed.length_S)
    device = packed.length_S.device
    scan_B = torch.linspace(0, scans - 1, min(scans, MEASURED_SCANS), device=device).long()
    return packed.windows(scan_B, (packed.length_S[scan_B] - window) // 2, window)


def _summary(state: TrainingState, schedule: Schedule, settings: Pretraining) -> TrainingSummary:
    return {
        "scans": schedule.scans,
        "batch_size": schedule.batch,
        "epochs": settings.training.epochs,
        "steps": state.step,
        "final": state.epochs[-1] if state.epochs else {},
        "settings": settings.training.model_dump(mode="json"),
    }
