"""The objective of self-distillation, on unit feature vectors of student and teacher.

Under ``torchrun`` each process has its part of a batch. What is not a mean over scans is summed
over the processes, so that the mean of their gradients is the gradient of the whole batch.

Shapes: V views (two), M rows (scans, or scans × networks), K projected features.
Source: Gijsen, Schulz & Ritter, arXiv 2512.11582; Wu et al. (SimDINO), arXiv 2502.10385.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from semantoks.system.distributed import count, sum_over_processes

DISTORTION = 0.05


def coding_rate(
    features_VMK: Tensor, weight_M: Tensor | None = None, *, shared: bool = False
) -> Tensor:
    """Return how much room the features of each view take, (V,).

    It is ½·logdet(I + K/(M·ε)·FᵀF)·(K + M)/(K·M), ε = 0.05: note that it depends on the number
    of rows M, hence on the batch size.

    Parameters
    ----------
    features_VMK : Tensor
        Features with rows of unit length at most.
    weight_M : Tensor, optional
        1 for rows that count, 0 for the others.
    shared : bool
        Whether the rows of all processes count, each of which has its share.
    """
    # Half precision has too few digits for a determinant.
    features_VMK = features_VMK.to(torch.promote_types(features_VMK.dtype, torch.float32))
    size = features_VMK.shape[2]
    rows: Tensor | int = features_VMK.shape[1] if weight_M is None else weight_M.sum()
    if weight_M is not None:
        features_VMK = features_VMK * weight_M[:, None]
    with torch.autocast(features_VMK.device.type, enabled=False):
        gram_VKK = features_VMK.mT @ features_VMK
    if shared:
        gram_VKK, rows = sum_over_processes(gram_VKK), _on_all_processes(rows)
    if isinstance(rows, Tensor):
        rows = rows.clamp(min=1)
    identity_KK = torch.eye(size, dtype=gram_VKK.dtype, device=gram_VKK.device)
    # ½·logdet is the sum of the logarithms of the Cholesky factor's diagonal. Not asking whether
    # it worked saves the wait for a GPU; where it does not, the loss is not finite and the
    # training stops.
    factor_VKK, _ = torch.linalg.cholesky_ex(identity_KK + size / (rows * DISTORTION) * gram_VKK)
    half_logdet_V = factor_VKK.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return half_logdet_V * (size + rows) / (size * rows)


def _on_all_processes(rows: Tensor | int) -> Tensor | int:
    return sum_over_processes(rows) if isinstance(rows, Tensor) else rows * count()


def cross_view_loss(
    student_VMK: Tensor, teacher_VMK: Tensor, weight_M: Tensor | None = None
) -> Tensor:
    """Pull the student's view towards the teacher's other view, and spread all of them out.

    Parameters
    ----------
    student_VMK, teacher_VMK : Tensor
        Unit features of the two views.
    weight_M : Tensor, optional
        1 for rows that count, 0 for the others.

    Returns
    -------
    Tensor
        Minus the mean cosine across views, minus the mean coding rate.
    """
    cosine_VM = (student_VMK * teacher_VMK.flip(0)).sum(-1)
    spread = coding_rate((student_VMK + teacher_VMK) / 2, weight_M, shared=True).mean()
    if weight_M is None:
        return -cosine_VM.mean() - spread
    # Divided by the mean number of a process: the mean over processes is taken later.
    share = (sum_over_processes(weight_M.sum()) / count()).clamp(min=1)
    compression = (cosine_VM * weight_M).sum(1) / share
    return -compression.mean() - spread


def masked_token_loss(student_BLK: Tensor, teacher_BLK: Tensor, mask_BL: Tensor) -> Tensor:
    """Return minus the cosine on masked tokens, averaged in each scan, then over scans."""
    cosine_BL = (student_BLK * teacher_BLK).sum(-1) * mask_BL
    return -(cosine_BL.sum(1) / mask_BL.sum(1).clamp(min=1)).mean()


def half_cosine(step: float, steps: float) -> float:
    """Fall from 1 at step 0 to 0 at ``steps`` along half a cosine, and stay there."""
    if step >= steps:
        return 0.0
    return (math.cos(math.pi * step / steps) + 1) / 2


def teacher_momentum(step: int, steps: int, initial: float) -> float:
    """Return the momentum of the teacher's moving average: from ``initial`` up to 1."""
    return 1 - (1 - initial) * half_cosine(step, steps)
