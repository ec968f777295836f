"""The terms of the loss, and the teacher as a moving average of the student."""

from __future__ import annotations

import pytest
import torch

from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from tests.unit.model.conftest import SIZES, WIDTH


@pytest.fixture
def model() -> SelfDistillation:
    torch.manual_seed(0)
    return SelfDistillation(Encoder(SIZES, ("a", "b", "b", "c")), Projector(WIDTH, 6, 5)).double()


@pytest.fixture
def views() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(3, 4, 20, generator=generator, dtype=torch.float64) for _ in range(2)]


def test_total_is_the_sum_of_terms_and_teacher_has_no_gradient(
    model: SelfDistillation, views: list[torch.Tensor]
) -> None:
    mask = torch.zeros(3, 3, 2, dtype=torch.bool)
    mask[:, 1] = True
    losses = model.losses(*views, mask, mask, ttr_weight=0.3)
    torch.testing.assert_close(losses["total"], sum(losses[k] for k in ("cls", "ttr", "token")))
    losses["total"].backward()
    assert all(p.grad is None for p in model.teacher.parameters())
    assert all(p.grad is None for p in model.teacher_projector.parameters())
    assert all(p.grad is not None for p in model.student.parameters())


def test_absent_networks_are_excluded_from_the_losses(
    model: SelfDistillation, views: list[torch.Tensor]
) -> None:
    for view in views:
        view[0, 0] = torch.nan  # the only region of network "a"
    mask = torch.zeros(3, 3, 2, dtype=torch.bool)
    mask[0, 0] = True
    losses = model.losses(*views, mask, mask, ttr_weight=0.3)
    assert losses["token"] == 0
    assert losses["total"].isfinite()
    assert model.student.presence(views[0])[0].tolist() == [False, True, True]


def test_teacher_is_a_moving_average_and_shares_no_memory(model: SelfDistillation) -> None:
    before = model.teacher.cls_embedding.clone()
    with torch.no_grad():
        model.student.cls_embedding.add_(1)
    torch.testing.assert_close(model.teacher.cls_embedding, before)
    momentum = model.update_teacher(0, 10)
    torch.testing.assert_close(model.teacher.cls_embedding, before + (1 - momentum))
