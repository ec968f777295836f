"""Is the model still learning? Effective rank, token cosine, coding rate, and an alarm."""

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

Row = dict[str, float]

# Measured: a fresh model has 1.07 to 1.15 at any width; without expansion it falls below 1.01.
COLLAPSED_RANK = 1.02
COLLAPSED_TOKEN_COSINE = 0.95
PATIENCE = 3


def effective_rank(features_MK: Tensor) -> Tensor:
    """Return exp of the entropy of the squared singular values: 1 when all rows are parallel.

    Source: Roy & Vetterli, "The effective rank", EUSIPCO 2007 (there of the singular values).
    """
    energy = torch.linalg.svdvals(features_MK.double()) ** 2
    part = energy / energy.sum().clamp(min=1e-30)
    return torch.special.entr(part).sum().exp()


def token_cosine(tokens_BLD: Tensor) -> Tensor:
    """Return the mean cosine between two different tokens of a window."""
    unit_BLD = F.normalize(tokens_BLD.double(), dim=-1)
    count = unit_BLD.shape[1]
    if count == 1:
        return unit_BLD.new_zeros(())
    return ((unit_BLD.sum(1).square().sum(-1) - count) / (count * (count - 1))).mean()


@torch.no_grad()
def measure(model: SelfDistillation, windows_BCT: Tensor) -> Row:
    """Measure student and teacher on whole windows of different scans."""
    pairs = {
        "student": (model.student, model.projector),
        "teacher": (model.teacher, model.teacher_projector),
    }
    row: Row = {}
    for role, (encoder, projector) in pairs.items():
        row |= {f"{role}_{k}": v for k, v in _measure(encoder, projector, windows_BCT).items()}
    return row


def _measure(encoder: Encoder, projector: Projector, windows_BCT: Tensor) -> Row:
    output: EncoderOutput = encoder(windows_BCT)
    features_BK = projector(output.cls_BD)
    return {
        "effective_rank": effective_rank(features_BK).item(),
        "token_cosine": token_cosine(output.tokens_BLD).item(),
        "coding_rate": coding_rate(features_BK[None]).item(),
    }


def raise_if_not_finite(loss: float, epoch: float) -> None:
    """Stop a run whose loss is no number any more.

    Raises
    ------
    UserError
        Naming the epoch and what to do.
    """
    if not math.isfinite(loss):
        raise UserError(
            f"The loss is {loss} in epoch {epoch:.0f}, expected a finite number. Lower "
            "learning_rate, and check the time series for extreme values."
        )


def raise_on_collapse(rows: Sequence[Mapping[str, float]], warmup_epochs: float) -> None:
    """Stop a run that has come to say the same of every scan.

    Parameters
    ----------
    rows : sequence of mapping
        Metrics of the epochs so far.
    warmup_epochs : float
        The alarm is silent during the warm-up: a fresh model has not spread out yet.

    Raises
    ------
    UserError
        If the student has been collapsed for three epochs.
    """
    recent = [row for row in rows[-PATIENCE:] if row["epoch"] > warmup_epochs]
    if len(recent) == PATIENCE and all(_collapsed(row) for row in recent):
        last = recent[-1]
        raise UserError(
            f"The model has collapsed: for {PATIENCE} epochs up to epoch {last['epoch']:.0f} it "
            "gives (nearly) the same answer for every scan or token (effective rank "
            f"{last['student_effective_rank']:.2f}, expected well above 1; token cosine "
            f"{last['student_token_cosine']:.3f}, expected below 1). Lower learning_rate, or use "
            "a larger batch_size."
        )


def _collapsed(row: Mapping[str, float]) -> bool:
    return (
        row["student_effective_rank"] < COLLAPSED_RANK
        or row["student_token_cosine"] > COLLAPSED_TOKEN_COSINE
    )
