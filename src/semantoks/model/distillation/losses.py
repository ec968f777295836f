"""The losses of self-distillation, on unit feature vectors of student and teacher.

In data-parallel training each process holds a share of the batch. Whatever is not a mean over scans
is summed over processes, so that the mean of their gradients is the gradient of the whole batch.

Shapes: V views (two), M rows (scans, or scans × networks), K projected features.
Sources: Gijsen, Schulz & Ritter, arXiv 2512.11582; Wu et al. (SimDINO), arXiv 2502.10385.
"""

from __future__ import annotations

import torch
from torch import Tensor

from semantoks.system.distributed import sum_over_processes, world_size

# ε of the coding rate in arXiv 2512.11582.
DISTORTION = 0.05


def coding_rate(
    features_VMK: Tensor, weight_M: Tensor | None = None, *, all_processes: bool = False
) -> Tensor:
    """Return the coding rate of the features of each view, (V,).

    It is ½·logdet(I + K/(M·ε)·FᵀF)·(K + M)/(K·M) with ε = 0.05, and measures how far the features
    spread. It depends on the number of rows M, hence on the batch size.

    Parameters
    ----------
    features_VMK : Tensor
        Features; the norm of a row is at most 1.
    weight_M : Tensor, optional
        1 for rows to include, 0 for the others.
    all_processes : bool
        Whether to include the rows of all processes.

    References
    ----------
    Yu et al., "Learning diverse and discriminative representations via the principle of maximal
    coding rate reduction", NeurIPS 2020, arXiv 2006.08558.
    """
    # bfloat16 has too few digits for a determinant.
    features_VMK = features_VMK.to(torch.promote_types(features_VMK.dtype, torch.float32))
    size = features_VMK.shape[2]
    rows: Tensor | int = features_VMK.shape[1] if weight_M is None else weight_M.sum()
    if weight_M is not None:
        features_VMK = features_VMK * weight_M[:, None]
    # Autocast would cast the operands of the product to bfloat16 again.
    with torch.autocast(features_VMK.device.type, enabled=False):
        # logdet(I + FᵀF) = logdet(I + FFᵀ) (Sylvester). Only FᵀF has a size that does not grow with
        # the batch, and is a sum over the rows of all processes.
        gram_VKK = features_VMK.mT @ features_VMK
    if all_processes:
        gram_VKK, rows = sum_over_processes(gram_VKK), _sum_rows(rows)
    if isinstance(rows, Tensor):
        # Without any included row, size / rows is infinite, and times the zero Gram matrix NaN.
        rows = rows.clamp(min=1)
    identity_KK = torch.eye(size, dtype=gram_VKK.dtype, device=gram_VKK.device)
    # ½·logdet is the sum of the logs of the Cholesky diagonal. `cholesky` checks for failure,
    # which forces a host sync on CUDA; `cholesky_ex` does not. After a failure the loss is not
    # finite, and the training stops for that.
    factor_VKK, _ = torch.linalg.cholesky_ex(identity_KK + size / (rows * DISTORTION) * gram_VKK)
    half_logdet_V = factor_VKK.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return half_logdet_V * (size + rows) / (size * rows)


def _sum_rows(rows: Tensor | int) -> Tensor | int:
    return sum_over_processes(rows) if isinstance(rows, Tensor) else rows * world_size()


def cross_view_loss(
    student_VMK: Tensor, teacher_VMK: Tensor, weight_M: Tensor | None = None
) -> Tensor:
    """Return minus the mean cosine across views, minus the mean coding rate.

    The cosine pulls the student's view towards the teacher's other view; the coding rate spreads
    the features out and so prevents collapse.

    Parameters
    ----------
    student_VMK, teacher_VMK : Tensor
        Unit features of the two views.
    weight_M : Tensor, optional
        1 for rows to include, 0 for the others.

    Returns
    -------
    Tensor
        The loss, a scalar.
    """
    cosine_VM = (student_VMK * teacher_VMK.flip(0)).sum(-1)
    expansion = coding_rate((student_VMK + teacher_VMK) / 2, weight_M, all_processes=True).mean()
    if weight_M is None:
        return -cosine_VM.mean() - expansion
    # Divide by the mean number of rows per process, because gradients are averaged over
    # processes later.
    rows_per_process = (sum_over_processes(weight_M.sum()) / world_size()).clamp(min=1)
    compression = (cosine_VM * weight_M).sum(1) / rows_per_process
    return -compression.mean() - expansion


def masked_token_loss(student_BLK: Tensor, teacher_BLK: Tensor, mask_BL: Tensor) -> Tensor:
    """Return minus the mean cosine of masked tokens, averaged within scans, then over scans.

    Parameters
    ----------
    student_BLK, teacher_BLK : Tensor
        Unit features of the tokens (scans, tokens, features).
    mask_BL : Tensor of bool
        True where a token was hidden from the student.
    """
    cosine_BL = (student_BLK * teacher_BLK).sum(-1) * mask_BL
    # All masked networks of a scan may be absent. It then counts as 0 / 1 instead of 0 / 0.
    return -(cosine_BL.sum(1) / mask_BL.sum(1).clamp(min=1)).mean()
