"""Student and teacher: two encoders with their projectors, and the loss between them."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from semantoks.model.distillation import losses
from semantoks.model.network.encoder import Encoder, EncoderOutput
from semantoks.model.network.projector import Projector


class Outputs(NamedTuple):
    """What both encoders say of views, and which networks each view has."""

    student: EncoderOutput
    teacher: EncoderOutput
    present_WN: Tensor


class SelfDistillation(nn.Module):
    """A student that learns from a moving average of itself.

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
        The teacher starts as a copy; it is what is used after pretraining.
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
        """Compare two views of the same scans.

        Parameters
        ----------
        view1_BCT, view2_BCT : Tensor
            The views; absent regions are NaN. The teacher sees both whole.
        mask1_BNP, mask2_BNP : Tensor, optional
            What is hidden from the student (both or none).
        ttr_weight : float
            Weight of the temporal regulariser in this step.

        Returns
        -------
        dict of str to Tensor
            ``total`` and its terms ``cls``, ``ttr`` and ``token``, weighted as they enter it.
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
        """Run both encoders over views; parameters as for `Encoder.encode`."""
        patches = self.student.patches(views_WCT)
        student = self.student.encode(patches, mask_WNP, tokens=tokens)
        with torch.no_grad():
            teacher = self.teacher.encode(patches, tokens=tokens)
        return Outputs(student, teacher, patches.present_BN)

    def compare(
        self, outputs: Outputs, mask_WNP: Tensor | None = None, ttr_weight: float = 0.0
    ) -> dict[str, Tensor]:
        """Return the losses of `losses` for outputs of all first, then all second views."""
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
        student, teacher, present_WN = outputs
        if weight == 0:
            return student.cls_BD.new_zeros(())
        student_WNK, teacher_WNK = self._project(
            *(_mean_over_time(out.tokens_BLD, present_WN.shape[1]) for out in (student, teacher))
        )
        # A network counts for a scan where both views have it.
        counts_M = _by_view(present_WN).all(0).flatten().to(student_WNK.dtype)
        return weight * losses.cross_view_loss(
            _by_view(student_WNK).flatten(1, 2), _by_view(teacher_WNK).flatten(1, 2), counts_M
        )

    def _token_loss(self, outputs: Outputs, mask_WNP: Tensor | None) -> Tensor:
        student, teacher, present_WN = outputs
        if mask_WNP is None or self.token_weight == 0:
            return student.cls_BD.new_zeros(())
        # The teacher has no answer where a network is absent.
        counts_WL = (mask_WNP & present_WN[..., None]).flatten(1)
        if counts_WL.is_cuda:  # to ask how many they are would stall the device
            pair = self._project(student.tokens_BLD, teacher.tokens_BLD)
        else:
            rows = self._project(student.tokens_BLD[counts_WL], teacher.tokens_BLD[counts_WL])
            empty_WLK = rows[0].new_zeros(*counts_WL.shape, rows[0].shape[-1])
            student_WLK, teacher_WLK = (empty_WLK.index_put((counts_WL,), r) for r in rows)
            pair = student_WLK, teacher_WLK
        return self.token_weight * losses.masked_token_loss(*pair, counts_WL)

    @torch.no_grad()
    def update_teacher(self, step: int, steps: int) -> float:
        """Move the teacher towards the student after an optimiser step; return the momentum."""
        momentum = losses.teacher_momentum(step, steps, self.momentum)
        for teacher, student in (
            (self.teacher, self.student),
            (self.teacher_projector, self.projector),
        ):
            torch._foreach_lerp_(
                list(teacher.parameters()), list(student.parameters()), 1 - momentum
            )
        return momentum


def _by_view(rows_W: Tensor) -> Tensor:
    return rows_W.view(2, -1, *rows_W.shape[1:])


def _mean_over_time(tokens_BLD: Tensor, networks: int) -> Tensor:
    batch, _, width = tokens_BLD.shape
    return tokens_BLD.view(batch, networks, -1, width).mean(2)
