"""Measures of collapse: effective rank, token cosine and coding rate, and an alarm on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from semantoks.errors import UserError
from semantoks.model.distillation.losses import coding_rate
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder, EncoderOutput
from semantoks.model.network.projector import Projector
from semantoks.system.distributed import Process, sum_over_processes

# A row of metrics.parquet: the metrics of an epoch by column.
Metrics = dict[str, float]

# Measured: an untrained model has an effective rank of 1.07 to 1.15 at any width; a model trained
# without the coding rate falls below 1.01.
COLLAPSED_RANK = 1.02
COLLAPSED_TOKEN_COSINE = 0.95
PATIENCE = 3
MEASURES = ("effective_rank", "token_cosine", "coding_rate")


def effective_rank(features_MK: Tensor) -> Tensor:
    """Return the effective rank, from 1 (all rows are parallel) to K.

    It is exp of the entropy of the normalised squared singular values.
    Source: Roy & Vetterli, "The effective rank", EUSIPCO 2007, which takes the singular values.
    """
    energy = torch.linalg.svdvals(features_MK.double()) ** 2
    share = energy / energy.sum().clamp(min=1e-30)
    # `entr` is 0 at 0, where -p · log(p) would be NaN.
    return torch.special.entr(share).sum().exp()


def token_cosine(tokens_BLD: Tensor) -> Tensor:
    """Return the mean cosine between pairs of different tokens of a window."""
    unit_BLD = F.normalize(tokens_BLD.double(), dim=-1)
    count = unit_BLD.shape[1]
    if count == 1:
        return unit_BLD.new_zeros(())
    # The squared norm of the sum holds all pairs, so no (L, L) matrix is needed; subtract the L
    # pairs of a token with itself.
    return ((unit_BLD.sum(1).square().sum(-1) - count) / (count * (count - 1))).mean()


@torch.no_grad()
def measure(model: SelfDistillation, windows_BCT: Tensor, process: Process) -> Metrics:
    """Measure student and teacher on unmasked windows of different scans.

    The windows are the same in all processes. Of several, one measures the student and another the
    teacher, and all return both.
    """
    encoders = (model.student, model.projector), (model.teacher, model.teacher_projector)
    values = torch.zeros(
        len(encoders), len(MEASURES), dtype=torch.float64, device=windows_BCT.device
    )
    for number, (encoder, projector) in enumerate(encoders):
        if number % process.world_size == process.rank:
            values[number] = _measure(encoder, projector, windows_BCT)
    names = [f"{role}_{name}" for role in ("student", "teacher") for name in MEASURES]
    return dict(zip(names, sum_over_processes(values).flatten().tolist(), strict=True))


def _measure(encoder: Encoder, projector: Projector, windows_BCT: Tensor) -> Tensor:
    """Return the values of `MEASURES`."""
    output: EncoderOutput = encoder(windows_BCT)
    features_BK = projector(output.cls_BD)
    cosine, rate = token_cosine(output.tokens_BLD), coding_rate(features_BK[None])[0]
    return torch.stack([effective_rank(features_BK), cosine, rate.double()])


def raise_if_not_finite(loss: float, epoch: float) -> None:
    """Stop the training if its loss has diverged.

    Raises
    ------
    UserError
        If the loss is NaN or infinite; the message says in which epoch and what to do.
    """
    if not math.isfinite(loss):
        raise UserError(
            f"The loss is {loss} in epoch {epoch:.0f}, expected a finite number. Lower "
            "learning_rate, and check the time series for extreme values."
        )


def raise_if_diverged(model: SelfDistillation, epoch: float) -> None:
    """Stop the training if its last step made a weight NaN or infinite.

    The loss of that step was still finite, and no later one would show it.

    Raises
    ------
    UserError
    """
    if not all(weight.isfinite().all() for weight in model.parameters()):
        raise UserError(
            f"Weights are NaN or infinite after epoch {epoch:.0f}, expected finite numbers. Lower "
            "learning_rate, and check the time series for extreme values."
        )


def raise_on_collapse(epochs: Sequence[Mapping[str, float]], warmup_epochs: float) -> None:
    """Stop the training if the student maps all scans or all tokens to the same point.

    Parameters
    ----------
    epochs : sequence of mapping
        Metrics of the epochs so far.
    warmup_epochs : float
        Epochs that are not checked: the features of an untrained model are not yet spread out.

    Raises
    ------
    UserError
        If the student was collapsed in each of the last three epochs.
    """
    recent = [metrics for metrics in epochs[-PATIENCE:] if metrics["epoch"] > warmup_epochs]
    if len(recent) == PATIENCE and all(_is_collapsed(metrics) for metrics in recent):
        last = recent[-1]
        raise UserError(
            f"The model has collapsed: for {PATIENCE} epochs up to epoch {last['epoch']:.0f} its "
            "output is (nearly) the same for every scan or token (effective rank "
            f"{last['student_effective_rank']:.2f}, expected well above 1; token cosine "
            f"{last['student_token_cosine']:.3f}, expected below 1). Lower learning_rate, or use "
            "a larger batch_size."
        )


def _is_collapsed(metrics: Mapping[str, float]) -> bool:
    return (
        metrics["student_effective_rank"] < COLLAPSED_RANK
        or metrics["student_token_cosine"] > COLLAPSED_TOKEN_COSINE
    )
