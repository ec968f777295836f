"""One step: views of a share of the batch, gradients of the whole batch, the update."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from semantoks.config import Pretraining
from semantoks.model.distillation.student_teacher import Outputs, SelfDistillation
from semantoks.model.network.encoder import EncoderOutput
from semantoks.model.pretrain.schedule import Schedule
from semantoks.model.pretrain.state import TrainingState
from semantoks.model.pretrain.views import PackedScans, Views, draw_views
from semantoks.system.distributed import Process, average

DECAYING = 0  # the first of `weight_decay_groups`
LOTS = 8


def weight_decay_groups(model: SelfDistillation) -> list[dict[str, list[nn.Parameter]]]:
    """Split the student's parameters into those that decay, and biases, norms, embeddings."""
    decaying: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            kept = parameter.ndim < 2 or name.endswith("embedding")
            (others if kept else decaying).append(parameter)
    return [{"params": decaying}, {"params": others}]


def train_step(
    state: TrainingState,
    scan_B: Tensor,
    packed: PackedScans,
    schedule: Schedule,
    settings: Pretraining,
    process: Process,
) -> None:
    """Update student and teacher on a batch, of which each process takes its share."""
    model, step = state.model, state.step
    masked = schedule.masked(step)
    views = draw_views(
        packed,
        process.share(scan_B),
        settings,
        len(model.student.order) if masked else None,
        generators(schedule, step, scan_B.device, process),
    )
    losses = gradients(
        model, views, schedule.ttr_weight(step), settings.training.accumulation, state.precision
    )
    groups = state.optimizer.param_groups
    groups[DECAYING]["weight_decay"] = schedule.weight_decay(step)
    for group in groups:
        group["lr"] = schedule.learning_rate(step)
    parameters = [p for group in groups for p in group["params"]]
    values = torch.stack(list(losses.values())).detach()
    average([*(_gradient(parameter) for parameter in parameters), values])
    gradient_norm = nn.utils.clip_grad_norm_(parameters, 1.0)
    state.optimizer.step()
    state.optimizer.zero_grad()
    model.update_teacher(step, schedule.steps)
    state.sums += torch.cat([values, gradient_norm[None]])
    state.masked_steps += masked
    state.step += 1


def lots(schedule: Schedule, process: Process) -> int:
    """Return in how many lots a batch is drawn.

    They are the same for any number of processes that divides eight and the batch.
    """
    count = math.gcd(schedule.batch, LOTS)
    return count if count % process.count == 0 else process.count


def generators(
    schedule: Schedule, step: int, device: torch.device, process: Process
) -> list[Generator]:
    """Seed the draws of this process's lots."""
    count = lots(schedule, process)
    own = torch.arange(count).chunk(process.count)[process.rank].tolist()
    return [
        Generator(device).manual_seed(schedule.seed(f"views of lot {lot}", step)) for lot in own
    ]


def gradients(
    model: SelfDistillation,
    views: Views,
    ttr_weight: float = 0.0,
    parts: int = 1,
    precision: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """Add the gradients of the losses to the student's parameters.

    Parameters
    ----------
    model : SelfDistillation
        Student and teacher.
    views : Views
        The batch, or this process's share of it.
    ttr_weight : float
        Weight of the temporal regulariser in this step.
    parts : int
        How many parts of the batch go through the encoders one after the other. The losses
        compare all scans all the same: the encoders run once without remembering anything, and
        once more, part by part, when the gradient of their output is known.
    precision : dtype, optional
        Of matrix products, where not the parameters' own.

    Returns
    -------
    dict of str to Tensor
        As `SelfDistillation.losses`.
    """
    autocast = torch.autocast(
        views.views_WCT.device.type, dtype=precision, enabled=precision is not None
    )
    tokens = views.mask_WNP is not None or ttr_weight != 0
    parts = min(parts, len(views.views_WCT))
    if parts == 1:
        with autocast:
            outputs = model.outputs(*views, tokens=tokens)
            losses = model.compare(outputs, views.mask_WNP, ttr_weight)
        losses["total"].backward()  # type: ignore[no-untyped-call]
        return losses
    batches = _split(views, parts)
    with autocast:
        with torch.no_grad():
            outputs = _join([model.outputs(*batch, tokens=tokens) for batch in batches])
        leaves = [part.requires_grad_() for part in outputs.student]
        losses = model.compare(outputs, views.mask_WNP, ttr_weight)
    losses["total"].backward()  # type: ignore[no-untyped-call]
    by_part = zip(*(torch.tensor_split(_gradient(leaf), parts) for leaf in leaves), strict=True)
    for batch, output_gradients in zip(batches, by_part, strict=True):
        with autocast:
            student = model.student.encode(
                model.student.patches(batch.views_WCT), batch.mask_WNP, tokens=tokens
            )
        torch.autograd.backward(student, output_gradients)
    return losses


def _split(views: Views, parts: int) -> list[Views]:
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
    """Return a gradient; what the losses did not depend on has one of zeros from now on.

    Whether they did can differ between processes, when one of them has all networks.
    """
    if leaf.grad is None:
        leaf.grad = torch.zeros_like(leaf)
    return leaf.grad
