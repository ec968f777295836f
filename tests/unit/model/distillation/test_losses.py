"""The objective against its definition, and what absent networks do to it."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from semantoks.model.distillation.losses import (
    coding_rate,
    cross_view_loss,
    half_cosine,
    masked_token_loss,
    teacher_momentum,
)
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from tests.conftest import SIZES


def unit(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


@pytest.fixture
def model() -> SelfDistillation:
    torch.manual_seed(0)
    return SelfDistillation(Encoder(SIZES, ("a", "b", "b", "c")), Projector(8, 6, 5)).double()


@pytest.fixture
def views() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(3, 4, 20, generator=generator, dtype=torch.float64) for _ in range(2)]


def test_coding_rate_is_the_log_determinant() -> None:
    features_MK = unit(7, 4)
    gram = torch.eye(4) + 4 / (7 * 0.05) * features_MK.T @ features_MK
    expected = 0.5 * torch.logdet(gram) * (4 + 7) / (4 * 7)
    torch.testing.assert_close(coding_rate(features_MK[None])[0], expected)


def test_coding_rate_falls_when_all_rows_agree() -> None:
    alike = unit(1, 4).expand(7, 4)
    assert coding_rate(alike[None]) < coding_rate(unit(7, 4)[None])


def test_rows_of_weight_zero_are_as_if_left_out() -> None:
    student, teacher = unit(2, 6, 4), unit(2, 6, 4).flip(1)
    weight_M = torch.tensor([1.0, 1, 0, 1, 0, 1], dtype=torch.float64)
    kept = weight_M.bool()
    torch.testing.assert_close(
        cross_view_loss(student, teacher, weight_M),
        cross_view_loss(student[:, kept], teacher[:, kept]),
    )


def test_loss_compares_across_views() -> None:
    student, teacher = unit(2, 5, 4), unit(2, 5, 4).flip(1)
    cosines = (student[0] * teacher[1]).sum(-1).mean() + (student[1] * teacher[0]).sum(-1).mean()
    expected = -cosines / 2 - coding_rate((student + teacher) / 2).mean()
    torch.testing.assert_close(cross_view_loss(student, teacher), expected)


def test_masked_tokens_are_averaged_in_each_scan_first() -> None:
    tokens = torch.ones(2, 4, 1)
    opposite = torch.tensor([[1.0, 1, 1, -1], [-1, 1, 1, 1]])[..., None]
    mask = torch.tensor([[True, True, True, True], [True, False, False, False]])
    assert masked_token_loss(tokens, opposite, mask).item() == pytest.approx(-(0.5 - 1) / 2)


def test_masked_token_loss_without_masked_tokens_is_zero() -> None:
    tokens = torch.ones(2, 4, 1)
    assert masked_token_loss(tokens, tokens, torch.zeros(2, 4, dtype=torch.bool)) == 0


def test_terms_add_up_and_the_teacher_gets_no_gradient(
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


def test_absent_networks_enter_no_loss(model: SelfDistillation, views: list[torch.Tensor]) -> None:
    for view in views:
        view[0, 0] = torch.nan  # the only region of network "a"
    mask = torch.zeros(3, 3, 2, dtype=torch.bool)
    mask[0, 0] = True
    losses = model.losses(*views, mask, mask, ttr_weight=0.3)
    assert losses["token"] == 0
    assert losses["total"].isfinite()
    # Only its mask embedding could still tell; it is the same whatever the teacher says there.
    assert model.student.presence(views[0])[0].tolist() == [False, True, True]


def test_schedules() -> None:
    assert [half_cosine(s, 4) for s in (0, 2, 4, 9)] == [1, pytest.approx(0.5), 0, 0]
    assert half_cosine(0, 0) == 0
    assert teacher_momentum(0, 10, 0.99) == pytest.approx(0.99)
    assert math.isclose(teacher_momentum(10, 10, 0.99), 1)


def test_the_teacher_is_a_moving_average_and_no_alias(model: SelfDistillation) -> None:
    before = model.teacher.cls_embedding.clone()
    with torch.no_grad():
        model.student.cls_embedding.add_(1)
    torch.testing.assert_close(model.teacher.cls_embedding, before)
    momentum = model.update_teacher(0, 10)
    torch.testing.assert_close(model.teacher.cls_embedding, before + (1 - momentum))
