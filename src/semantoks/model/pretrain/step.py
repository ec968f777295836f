"""A training step: draw this process's views, compute the whole batch's gradients, update."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from semantoks.config import CHUNKS, Pretraining
from semantoks.model.distillation.student_teacher import Outputs, SelfDistillation
from semantoks.model.network.encoder import EncoderOutput
from semantoks.model.pretrain.packed import PackedScans
from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.state import TrainingState
from semantoks.model.pretrain.views import Views, draw_views
from semantoks.system.distributed import Process, average_over_processes

DECAYING = 0  # index of the group with weight decay in `weight_decay_groups`


def train_step(
    state: TrainingState,
    scan_B: Tensor,
    packed: PackedScans,
    schedule: Schedule,
    settings: Pretraining,
    process: Process,
) -> None:
    """Update student and teacher on a batch; each process draws and encodes its share of it.

    Parameters
    ----------
    state : TrainingState
        Updated in place.
    scan_B : Tensor of int
        Scans of the whole batch.
    packed : PackedScans
        The time series.
    schedule : Schedule
        Learning rate, weights and seeds of the step.
    settings : Pretraining
        Architecture and training.
    process : Process
        This process.
    """
    model, step = state.model, state.step
    masked = schedule.masked(step)
    views = draw_views(
        packed,
        process.share(scan_B),
        settings,
        len(model.student.order) if masked else None,
        chunk_generators(schedule, step, scan_B.device, process),
    )
    losses = gradients(
        model, views, schedule.ttr_weight(step), settings.training.accumulation, state.precision
    )
    values = torch.stack(list(losses.values())).detach()
    gradient_norm = _optimize(state, schedule, values)
    model.update_teacher(step, schedule.steps)
    # The order is that of `SUMS`: total, cls, ttr, token, then the norm of the gradient.
    state.sums += torch.cat([values, gradient_norm[None]])
    state.masked_steps += masked
    state.step += 1


def _optimize(state: TrainingState, schedule: Schedule, losses: Tensor) -> Tensor:
    """Average gradients and losses over processes, update the student, return the norm."""
    groups = state.optimizer.param_groups
    groups[DECAYING]["weight_decay"] = schedule.weight_decay(state.step)
    for group in groups:
        group["lr"] = schedule.learning_rate(state.step)
    parameters = [p for group in groups for p in group["params"]]
    # With the losses, every process checks, logs and saves those of the whole batch.
    average_over_processes([*(_gradient(parameter) for parameter in parameters), losses])
    # Clip after averaging: the norm must be that of the whole batch, and equal in all processes.
    gradient_norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    state.optimizer.step()
    state.optimizer.zero_grad()
    return gradient_norm


def chunk_count(schedule: Schedule, process: Process) -> int:
    """Return into how many chunks, each with its generator, a batch is divided.

    The number is the same for every world size that divides it, and so are the views of the batch.
    """
    count = math.gcd(schedule.batch, CHUNKS)
    return count if count % process.world_size == 0 else process.world_size


def chunk_generators(
    schedule: Schedule, step: int, device: torch.device, process: Process
) -> list[Generator]:
    """Return the seeded generators of this process's chunks."""
    count = chunk_count(schedule, process)
    chunks = torch.arange(count).chunk(process.world_size)[process.rank].tolist()
    # The text is part of the seed: another wording would draw other views.
    return [
        Generator(device).manual_seed(schedule.seed(f"views of lot {chunk}", step))
        for chunk in chunks
    ]


def gradients(
    model: SelfDistillation,
    views: Views,
    ttr_weight: float = 0.0,
    parts: int = 1,
    precision: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """Add the gradients of the losses to those of the student's parameters.

    Parameters
    ----------
    model : SelfDistillation
        Student and teacher.
    views : Views
        The batch, or this process's share of it.
    ttr_weight : float
        Weight of the temporal regulariser in this step.
    parts : int
        Number of parts of the batch that go through the encoders one after the other, to save
        memory. The losses still compare all scans of the batch.
    precision : dtype, optional
        Of matrix products under autocast (default: that of the parameters).

    Returns
    -------
    dict of str to Tensor
        As `SelfDistillation.losses`.
    """
    autocast = torch.autocast(
        views.views_WCT.device.type, dtype=precision, enabled=precision is not None
    )
    parts = min(parts, len(views.views_WCT))
    if parts > 1:
        return _gradients_in_parts(model, views, ttr_weight, parts, autocast)
    with autocast:
        outputs = model.outputs(*views, tokens=_needs_tokens(views, ttr_weight))
        losses = model.compare(outputs, views.mask_WNP, ttr_weight)
    losses["total"].backward()  # type: ignore[no-untyped-call]
    return losses


def _gradients_in_parts(
    model: SelfDistillation, views: Views, ttr_weight: float, parts: int, autocast: torch.autocast
) -> dict[str, Tensor]:
    """Compute `gradients` with the activations of a single part in memory.

    The losses compare scans of the whole batch, so gradients of parts cannot simply be summed.
    The encoders first run on all parts without a graph. The losses of the joined outputs give the
    gradient of each output, with which the student then runs forward and backward part by part.
    Source: Gao et al. (gradient caching), arXiv 2101.06983.
    """
    tokens = _needs_tokens(views, ttr_weight)
    batches = _split(views, parts)
    with autocast:
        with torch.no_grad():
            outputs = _join([model.outputs(*batch, tokens=tokens) for batch in batches])
        leaves = [leaf.requires_grad_() for leaf in outputs.student]
        losses = model.compare(outputs, views.mask_WNP, ttr_weight)
    losses["total"].backward()  # type: ignore[no-untyped-call]
    by_part = zip(*(torch.tensor_split(_gradient(leaf), parts) for leaf in leaves), strict=True)
    # The encoder has no dropout, so this forward pass repeats the outputs of the one above.
    for batch, output_gradients in zip(batches, by_part, strict=True):
        with autocast:
            student = model.student.encode(
                model.student.patches(batch.views_WCT), batch.mask_WNP, tokens=tokens
            )
        torch.autograd.backward(student, output_gradients)
    return losses


def _needs_tokens(views: Views, ttr_weight: float) -> bool:
    return views.mask_WNP is not None or ttr_weight != 0


def _split(views: Views, parts: int) -> list[Views]:
    # tensor_split yields exactly `parts` pieces; `chunk` may yield fewer.
    masks = [None] * parts if views.mask_WNP is None else views.mask_WNP.tensor_split(parts)
    return [Views(*part) for part in zip(views.views_WCT.tensor_split(parts), masks, strict=True)]


def _join(parts: list[Outputs]) -> Outputs:
    student, teacher, present = zip(*parts, strict=True)
    return Outputs(
        EncoderOutput(*map(torch.cat, zip(*student, strict=True))),
        EncoderOutput(*map(torch.cat, zip(*teacher, strict=True))),
        torch.cat(present),
    )


def _gradient(leaf: Tensor) -> Tensor:
    """Return the gradient of a leaf, which is set to zeros if the losses do not depend on it.

    Whether they do can differ between processes, for example if only one has a masked scan, but
    all processes must contribute the same tensors to an all-reduce.
    """
    if leaf.grad is None:
        leaf.grad = torch.zeros_like(leaf)
    return leaf.grad
