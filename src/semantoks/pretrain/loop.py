"""The training loop, to be read from top to bottom.

``pretrain`` reads files and calls ``fit``, which works on arrays.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor, nn

from semantoks.config import Model
from semantoks.errors import UserError
from semantoks.model import Encoder, Projector, SelfDistillation
from semantoks.model.checkpoint import save
from semantoks.model.inputs import require_match
from semantoks.pretrain.monitor import measure, raise_on_collapse
from semantoks.pretrain.progress import Progress
from semantoks.pretrain.schedule import Schedule
from semantoks.pretrain.state import TrainingState, fingerprint
from semantoks.store import Manifest, read_manifest, read_scans, write_table
from semantoks.views import PackedScans, augment, draw_starts, slice_masks

logger = logging.getLogger(__name__)

MEASURED_SCANS = 64
DECAYING = 0  # the first of `weight_decay_groups`
# What is summed over the steps of an epoch.
SUMS = ("total", "cls", "ttr", "token", "gradient_norm")


def pretrain(
    timeseries: Sequence[Path],
    settings: Model,
    out: Path,
    *,
    threads: int | None = None,
    device: str | None = None,
) -> SelfDistillation:
    """Pretrain on files of regional time series.

    Parameters
    ----------
    timeseries : sequence of path
        Files written by `semantoks.store`; all must have the same manifest.
    settings : Model
        Architecture and training.
    out : path
        Folder for ``encoder.safetensors`` (the teacher), ``config.json``, ``README.md`` and
        ``metrics.parquet`` (one row per epoch). ``out/checkpoint`` exists during the training:
        run again after a kill, it goes on from there.
    threads : int, optional
        CPU threads (default: PyTorch's choice).
    device : str, optional
        Where to train (default: the GPU if there is one).

    Returns
    -------
    SelfDistillation
        The trained student and teacher.

    Raises
    ------
    UserError
        If the files do not go together, there are too few scans, or the model collapses.
    """
    if not timeseries:
        raise UserError("Pretraining needs files of time series, found none. Name some data sets.")
    if threads is not None:
        torch.set_num_threads(threads)
    manifests = [read_manifest(path) for path in timeseries]
    manifest = next((m for m in manifests if m.space), manifests[0])  # a file may have no scan
    for path, found in zip(timeseries, manifests, strict=True):
        require_match(manifest, found, str(path))
    scans = [scan.timeseries_CT for scan in read_scans(timeseries)]
    return fit(scans, manifest.networks, settings, out, manifest=manifest, device=device)


def fit(
    scans: Sequence[np.ndarray],
    networks: Sequence[str],
    settings: Model,
    out: Path,
    *,
    manifest: Manifest | None = None,
    device: str | None = None,
    checkpoint_seconds: float = 60.0,
) -> SelfDistillation:
    """Pretrain on arrays.

    Parameters
    ----------
    scans : sequence of ndarray, shape (regions, volumes)
        z-scored time series; NaN where a region is not covered. Scans shorter than a window are
        left out.
    networks : sequence of str
        Network of each region.
    settings, out, device
        As for `pretrain`.
    manifest : Manifest, optional
        What the time series are, for those who use the encoder.
    checkpoint_seconds : float
        Time between two checkpoints.

    Returns
    -------
    SelfDistillation
        The trained student and teacher.
    """
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    packed = PackedScans.pack(_long_enough(scans, settings.architecture.window), device)
    schedule = Schedule.plan(settings.training, len(packed.length_S))
    state = _begin(settings, networks, device)
    checkpoint = out / "checkpoint" / "state.safetensors"
    mark = fingerprint(settings, networks, packed)
    state.resume(checkpoint, mark)
    progress, saved = Progress(schedule, state.step), time.monotonic()
    for epoch in range(state.step // schedule.steps_per_epoch, schedule.training.epochs):
        for scan_B in schedule.order(epoch)[state.step % schedule.steps_per_epoch :]:
            if time.monotonic() - saved >= checkpoint_seconds:
                state.save(checkpoint, mark)
                saved = time.monotonic()
            _step(state, scan_B.to(device), packed, schedule, settings)
            progress.log(state)
        _finish_epoch(state, packed, schedule, settings)
    model = state.model
    model.teacher.manifest = model.student.manifest = manifest
    save(model, out, _summary(state, schedule, settings))
    write_table(out / "metrics.parquet", pd.DataFrame(state.rows))
    shutil.rmtree(checkpoint.parent, ignore_errors=True)
    return model


def build(settings: Model, networks: Sequence[str]) -> SelfDistillation:
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


def weight_decay_groups(model: SelfDistillation) -> list[dict[str, list[nn.Parameter]]]:
    """Split the student's parameters into those that decay, and biases, norms, embeddings."""
    decaying: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            kept = parameter.ndim < 2 or name.endswith("embedding")
            (others if kept else decaying).append(parameter)
    return [{"params": decaying}, {"params": others}]


def _begin(settings: Model, networks: Sequence[str], device: str) -> TrainingState:
    model = build(settings, networks).to(device)
    optimizer = torch.optim.AdamW(weight_decay_groups(model), weight_decay=0.0, fused=True)
    sums = torch.zeros(len(SUMS), device=device)
    return TrainingState(model, optimizer, sums)


def _long_enough(scans: Sequence[np.ndarray], window: int) -> list[np.ndarray]:
    kept = [scan for scan in scans if scan.shape[1] >= window]
    if len(kept) < len(scans):
        logger.warning(
            "%d of %d scans are shorter than a window (%d volumes) and left out of the training.",
            len(scans) - len(kept),
            len(scans),
            window,
        )
    if len(kept) < 2:
        raise UserError(
            f"Pretraining needs at least 2 scans of {window} volumes or more, found {len(kept)} "
            f"among {len(scans)}. Add data, or make architecture.window smaller."
        )
    return kept


def _step(
    state: TrainingState,
    scan_B: Tensor,
    packed: PackedScans,
    schedule: Schedule,
    settings: Model,
) -> None:
    model, step, sizes = state.model, state.step, settings.architecture
    generator = Generator(scan_B.device).manual_seed(schedule.seed("views", step))
    starts = draw_starts(
        packed.length_S[scan_B], sizes.window, settings.training.max_overlap, generator
    )
    view1, view2 = (
        augment(packed.windows(scan_B, start, sizes.window), generator) for start in starts
    )
    mask1, mask2 = None, None
    if schedule.masked(step):
        shape = (2 * len(scan_B), len(model.student.order), sizes.window // sizes.patch)
        mask1, mask2 = slice_masks(*shape, settings.training.masking, generator).chunk(2)
        state.masked_steps += 1
    losses = model.losses(view1, view2, mask1, mask2, schedule.ttr_weight(step))

    groups = state.optimizer.param_groups
    groups[DECAYING]["weight_decay"] = schedule.weight_decay(step)
    for group in groups:
        group["lr"] = schedule.learning_rate(step)
    state.optimizer.zero_grad()
    torch.autograd.backward(losses["total"])
    gradient_norm = nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
    state.optimizer.step()
    model.update_teacher(step, schedule.steps)
    state.sums += torch.stack([*losses.values(), gradient_norm]).detach()
    state.step += 1


def _finish_epoch(
    state: TrainingState, packed: PackedScans, schedule: Schedule, settings: Model
) -> None:
    sums = dict(zip(SUMS, state.sums.tolist(), strict=True))
    mean = {name: value / schedule.steps_per_epoch for name, value in sums.items()}
    # Steps without masks have no token loss.
    mean["token"] = sums["token"] / max(1, state.masked_steps)
    row = {
        "epoch": state.step // schedule.steps_per_epoch,
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


def _summary(state: TrainingState, schedule: Schedule, settings: Model) -> dict[str, object]:
    return {
        "scans": schedule.scans,
        "batch_size": schedule.batch,
        "epochs": settings.training.epochs,
        "steps": state.step,
        "final": state.rows[-1],
        "settings": settings.training.model_dump(mode="json"),
    }
