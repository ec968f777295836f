"""A plain implementation of the training step, without any of the optimisations of the model.

It uses the parameters of a `SelfDistillation`, so that tests can compare `semantoks.model` with it,
and `speed/pretrain.py` can measure how much faster that is.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from semantoks.model.network.tokenizer import NetworkTokenizer
from semantoks.model.network.transformer import Block, time_embedding


def tokenize(tokenizer: NetworkTokenizer, x_QCT: Tensor) -> Tensor:
    """Return the tokens of one network, (patches, width), for (patches, regions, T)."""
    dense = tokenizer.dense
    dense_QDT = F.conv1d(x_QCT, dense.weight, dense.bias, padding="same")
    structured = tokenizer.structured
    scales = []
    for i, kernel_HCK in enumerate(structured.kernels):
        stretched = kernel_HCK.repeat_interleave(2 ** max(0, i - 1), dim=-1)
        scales.append(stretched * structured.decay_C1 ** (len(structured.kernels) - 1 - i))
    kernel_HCK = torch.cat(scales, dim=-1) / structured.norm_HC1
    heads, regions, length = kernel_HCK.shape
    left = (length - 1) // 2
    padded_QCS = F.pad(x_QCT, (left, length - 1 - left))
    # `conv1d` is a cross-correlation, so flip the kernel. Channels are ordered (region, head).
    weight_E1K = kernel_HCK.flip(-1).transpose(0, 1).reshape(-1, 1, length)
    mixed_QET = F.conv1d(padded_QCS, weight_E1K, groups=regions)
    skip_E1 = structured.skip_HC.T.reshape(-1, 1)
    mixed_QET = mixed_QET + skip_E1 * x_QCT.repeat_interleave(heads, dim=1)
    structured_QTD = structured.projection(mixed_QET.transpose(1, 2))
    features_QTD = torch.cat([dense_QDT.transpose(1, 2), structured_QTD], dim=-1)
    tokens_QD: Tensor = tokenizer.norm(F.gelu(features_QTD).mean(1))
    return tokens_QD


def attend(block: Block, x_BSD: Tensor) -> Tensor:
    """Return the output of attention, which is added to the sequence."""
    batch, length, width = x_BSD.shape
    qkv = block.qkv(x_BSD).reshape(batch, length, 3, block.heads, -1)
    query_BHSE, key_BHSE, value_BHSE = qkv.permute(2, 0, 3, 1, 4)
    weights_BHSS = query_BHSE @ key_BHSE.transpose(-1, -2) / math.sqrt(width // block.heads)
    mixed_BHSE = weights_BHSS.softmax(dim=-1) @ value_BHSE
    projected_BSD: Tensor = block.projection(mixed_BHSE.transpose(1, 2).reshape(x_BSD.shape))
    return projected_BSD


def encode(encoder: Encoder, x_BCT: Tensor, mask_BNP: Tensor | None = None) -> Tensor:
    """Return [CLS] and tokens, (B, 1 + L, width), for windows without missing regions."""
    patch = encoder.architecture.patch
    batch, _, volumes = x_BCT.shape
    patches = volumes // patch
    by_network = []
    for name, tokenizer in zip(encoder.order, encoder.tokenizers, strict=True):
        regions = [c for c, network in enumerate(encoder.networks) if network == name]
        x_BCPT = x_BCT[:, regions].reshape(batch, len(regions), patches, patch)
        x_BPCT = x_BCPT.transpose(1, 2)
        tokens_QD = tokenize(tokenizer, x_BPCT.flatten(0, 1))
        by_network.append(tokens_QD.view(batch, patches, -1))
    tokens_BNPD = torch.stack(by_network, dim=1)
    if mask_BNP is not None:
        tokens_BNPD = torch.where(mask_BNP[..., None], encoder.mask_embedding, tokens_BNPD)
    time_PD = time_embedding(patches, tokens_BNPD.shape[-1]).to(tokens_BNPD)
    tokens_BNPD = tokens_BNPD + encoder.network_embedding[:, None] + time_PD
    cls_B1D = encoder.cls_embedding.expand(batch, 1, -1)
    x_BSD = torch.cat([cls_B1D, tokens_BNPD.flatten(1, 2)], dim=1)
    for block in encoder.blocks:
        x_BSD = x_BSD + block.attention_scale * attend(block, block.attention_norm(x_BSD))
        x_BSD = x_BSD + block.mlp_scale * block.mlp(block.mlp_norm(x_BSD))
    encoded_BSD: Tensor = encoder.norm(x_BSD)
    return encoded_BSD


def cross_view_loss(
    student: tuple[Tensor, Tensor], teacher: tuple[Tensor, Tensor], distortion: float = 0.05
) -> Tensor:
    """Return minus the cosine across views, minus the coding rate, for a tensor of each view."""
    rows, size = student[0].shape
    compression = (student[0] * teacher[1]).sum(-1).mean() + (student[1] * teacher[0]).sum(
        -1
    ).mean()
    expansion = student[0].new_zeros(())
    for student_MK, teacher_MK in zip(student, teacher, strict=True):
        mean_MK = (student_MK + teacher_MK) / 2
        identity_KK = torch.eye(size, dtype=mean_MK.dtype, device=mean_MK.device)
        covariance_KK = identity_KK + size / (rows * distortion) * mean_MK.T @ mean_MK
        expansion = expansion + torch.logdet(covariance_KK) / 2
    return -compression / 2 - expansion / 2 * (size + rows) / (size * rows)


def losses(
    model: SelfDistillation,
    views: tuple[Tensor, Tensor],
    masks: tuple[Tensor, Tensor] | None = None,
    ttr_weight: float = 0.0,
) -> dict[str, Tensor]:
    """Return what `SelfDistillation.losses` returns, for windows without missing regions."""
    networks = len(model.student.order)
    student = [
        encode(model.student, view, None if masks is None else masks[v])
        for v, view in enumerate(views)
    ]
    with torch.no_grad():
        teacher = [encode(model.teacher, view) for view in views]

    def project(projector: Projector, parts: list[Tensor]) -> tuple[Tensor, Tensor]:
        first, second = (projector(part) for part in parts)
        return first, second

    def mean_tokens(encoded: list[Tensor]) -> list[Tensor]:
        tokens = [part_BSD[:, 1:] for part_BSD in encoded]
        return [t.reshape(len(t), networks, -1, t.shape[-1]).mean(2).flatten(0, 1) for t in tokens]

    cls = cross_view_loss(
        project(model.projector, [part[:, 0] for part in student]),
        project(model.teacher_projector, [part[:, 0] for part in teacher]),
    )
    ttr = cls.new_zeros(())
    if ttr_weight:
        ttr = ttr_weight * cross_view_loss(
            project(model.projector, mean_tokens(student)),
            project(model.teacher_projector, mean_tokens(teacher)),
        )
    token = cls.new_zeros(())
    if masks is not None:
        for mask_BNP, student_BSD, teacher_BSD in zip(masks, student, teacher, strict=True):
            target_BLK = model.teacher_projector(teacher_BSD[:, 1:])
            cosine_BL = (model.projector(student_BSD[:, 1:]) * target_BLK).sum(-1)
            hidden_BL = mask_BNP.flatten(1)
            mean_B = (cosine_BL * hidden_BL).sum(1) / hidden_BL.sum(1).clamp(min=1)
            token = token - model.token_weight * mean_B.mean() / 2
    return {"total": cls + ttr + token, "cls": cls, "ttr": ttr, "token": token}


@torch.no_grad()
def update_teacher(model: SelfDistillation, momentum: float) -> None:
    """Update the teacher's exponential moving average, parameter by parameter."""
    for teacher, student in (
        (model.teacher, model.student),
        (model.teacher_projector, model.projector),
    ):
        for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
            old.copy_(momentum * old + (1 - momentum) * new)
