"""The objective of self-distillation, on unit feature vectors of student and teacher.

Shapes: V views (two), M rows (scans, or scans × networks), K projected features.
Source: Gijsen, Schulz & Ritter, arXiv 2512.11582; Wu et al. (SimDINO), arXiv 2502.10385.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

DISTORTION = 0.05


def coding_rate(features_VMK: Tensor, weight_M: Tensor | None = None) -> Tensor:
    """Return how much room the features of each view take, (V,).

    It is ½·logdet(I + K/(M·ε)·FᵀF)·(K + M)/(K·M), ε = 0.05: note that it depends on the number
    of rows M, hence on the batch size.

    Parameters
    ----------
    features_VMK : Tensor
        Features with rows of unit length at most.
    weight_M : Tensor, optional
        1 for rows that count, 0 for the others.
    """
    features_VMK = features_VMK.float() if features_VMK.dtype != torch.float64 else features_VMK
    rows: Tensor | int = features_VMK.shape[1]
    size = features_VMK.shape[2]
    if weight_M is not None:
        features_VMK = features_VMK * weight_M[:, None]
        rows = weight_M.sum().clamp(min=1)
    gram_VKK = features_VMK.mT @ features_VMK
    identity_KK = torch.eye(size, dtype=gram_VKK.dtype, device=gram_VKK.device)
    # ½·logdet is the sum of the logarithms of the Cholesky factor's diagonal.
    factor_VKK = torch.linalg.cholesky(identity_KK + size / (rows * DISTORTION) * gram_VKK)
    half_logdet_V = factor_VKK.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return half_logdet_V * (size + rows) / (size * rows)


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
    spread = coding_rate((student_VMK + teacher_VMK) / 2, weight_M).mean()
    if weight_M is None:
        return -cosine_VM.mean() - spread
    compression = (cosine_VM * weight_M).sum(1) / weight_M.sum().clamp(min=1)
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
