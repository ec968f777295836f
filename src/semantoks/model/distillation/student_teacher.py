"""Student and teacher: two encoders with their projectors, and the loss between them."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from semantoks.model.distillation import losses
from semantoks.model.distillation.schedules import teacher_momentum
from semantoks.model.network.encoder import Encoder, EncoderOutput
from semantoks.model.network.projector import Projector


class Outputs(NamedTuple):
    """Outputs of both encoders for all first, then all second views.

    Attributes
    ----------
    student, teacher : EncoderOutput
    present_WN : Tensor of bool
        Which networks each view has.
    """

    student: EncoderOutput
    teacher: EncoderOutput
    present_WN: Tensor


class SelfDistillation(nn.Module):
    """A student encoder and its teacher, the exponential moving average of the student.

    Parameters
    ----------
    student : Encoder
        The encoder to train.
    projector : Projector
        The student's projector.
    token_weight : float
        Weight of the loss on masked tokens.
    momentum : float
        Initial momentum of the teacher.

    Attributes
    ----------
    student, teacher : Encoder
        The teacher starts as a copy of the student. After pretraining the teacher is used.
    """

    def __init__(
        self,
        student: Encoder,
        projector: Projector,
        token_weight: float = 0.5,
        momentum: float = 0.99,
    ) -> None:
        super().__init__()
        self.student = student
        self.projector = projector
        self.teacher = copy.deepcopy(student).requires_grad_(False)
        self.teacher_projector = copy.deepcopy(projector).requires_grad_(False)
        self.token_weight = token_weight
        self.momentum = momentum

    def losses(
        self,
        view1_BCT: Tensor,
        view2_BCT: Tensor,
        mask1_BNP: Tensor | None = None,
        mask2_BNP: Tensor | None = None,
        ttr_weight: float = 0.0,
    ) -> dict[str, Tensor]:
        """Return the losses between two views of the same scans.

        Parameters
        ----------
        view1_BCT, view2_BCT : Tensor
            The views; absent regions are NaN. The teacher sees both views unmasked.
        mask1_BNP, mask2_BNP : Tensor, optional
            True where a token is hidden from the student (both masks or neither).
        ttr_weight : float
            Weight of the temporal regulariser in this step.

        Returns
        -------
        dict of str to Tensor
            ``total`` and its weighted terms ``cls``, ``ttr`` and ``token``.
        """
        mask_WNP = None
        if mask1_BNP is not None and mask2_BNP is not None:
            mask_WNP = torch.cat([mask1_BNP, mask2_BNP])
        needs_tokens = mask_WNP is not None or ttr_weight != 0
        outputs = self.outputs(torch.cat([view1_BCT, view2_BCT]), mask_WNP, tokens=needs_tokens)
        return self.compare(outputs, mask_WNP, ttr_weight)

    def outputs(
        self, views_WCT: Tensor, mask_WNP: Tensor | None = None, *, tokens: bool = True
    ) -> Outputs:
        """Run both encoders on views; parameters as for `Encoder.encode`."""
        # Both views go through in one pass, and the layout of the patches is shared.
        patches = self.student.patches(views_WCT)
        student = self.student.encode(patches, mask_WNP, tokens=tokens)
        with torch.no_grad():
            teacher = self.teacher.encode(patches, tokens=tokens)
        return Outputs(student, teacher, patches.present_BN)

    def compare(
        self, outputs: Outputs, mask_WNP: Tensor | None = None, ttr_weight: float = 0.0
    ) -> dict[str, Tensor]:
        """Return the dict of `losses` for given outputs of the encoders."""
        terms = {
            "cls": self._cls_loss(outputs),
            "ttr": self._ttr_loss(outputs, ttr_weight),
            "token": self._token_loss(outputs, mask_WNP),
        }
        return {"total": terms["cls"] + terms["ttr"] + terms["token"], **terms}

    def _project(self, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            target: Tensor = self.teacher_projector(teacher)
        return self.projector(student), target

    def _cls_loss(self, outputs: Outputs) -> Tensor:
        student_WK, teacher_WK = self._project(outputs.student.cls_BD, outputs.teacher.cls_BD)
        return losses.cross_view_loss(_by_view(student_WK), _by_view(teacher_WK))

    def _ttr_loss(self, outputs: Outputs, weight: float) -> Tensor:
        """Return the temporal regulariser: the cross-view loss of each network's mean token."""
        student, teacher, present_WN = outputs
        if weight == 0:
            return student.cls_BD.new_zeros(())
        student_WNK, teacher_WNK = self._project(
            *(_mean_over_time(out.tokens_BLD, present_WN.shape[1]) for out in (student, teacher))
        )
        # A network of a scan counts only if both views have it.
        weight_M = _by_view(present_WN).all(0).flatten().to(student_WNK.dtype)
        return weight * losses.cross_view_loss(
            _by_view(student_WNK).flatten(1, 2), _by_view(teacher_WNK).flatten(1, 2), weight_M
        )

    def _token_loss(self, outputs: Outputs, mask_WNP: Tensor | None) -> Tensor:
        """Return the loss of masked tokens; for absent networks the teacher has no target."""
        student, teacher, present_WN = outputs
        if mask_WNP is None or self.token_weight == 0:
            return student.cls_BD.new_zeros(())
        mask_WL = (mask_WNP & present_WN[..., None]).flatten(1)
        # On CUDA, boolean indexing forces a host sync, so project all tokens; `mask_WL` then
        # excludes the others. On a CPU projecting masked tokens only saves time.
        if mask_WL.is_cuda:
            projected = self._project(student.tokens_BLD, teacher.tokens_BLD)
        else:
            rows = self._project(student.tokens_BLD[mask_WL], teacher.tokens_BLD[mask_WL])
            # `index_put` out of place: student and teacher both start from the same zeros.
            zeros_WLK = rows[0].new_zeros(*mask_WL.shape, rows[0].shape[-1])
            student_WLK, teacher_WLK = (zeros_WLK.index_put((mask_WL,), row) for row in rows)
            projected = student_WLK, teacher_WLK
        return self.token_weight * losses.masked_token_loss(*projected, mask_WL)

    @torch.no_grad()
    def update_teacher(self, step: int, steps: int) -> float:
        """Update the teacher's moving average after an optimiser step; return the momentum."""
        momentum = teacher_momentum(step, steps, self.momentum)
        # Only parameters are averaged: all buffers are constants, and equal in both.
        for teacher, student in (
            (self.teacher, self.student),
            (self.teacher_projector, self.projector),
        ):
            # A private function, but on CUDA it launches a few kernels for all parameters
            # rather than one for each.
            torch._foreach_lerp_(
                list(teacher.parameters()), list(student.parameters()), 1 - momentum
            )
        return momentum


def _by_view(rows_W: Tensor) -> Tensor:
    return rows_W.view(2, -1, *rows_W.shape[1:])


def _mean_over_time(tokens_BLD: Tensor, networks: int) -> Tensor:
    # Tokens are network-major, so a view separates networks from time patches.
    batch, _, width = tokens_BLD.shape
    return tokens_BLD.view(batch, networks, -1, width).mean(2)
