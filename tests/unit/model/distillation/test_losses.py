"""The losses against their definitions."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from semantoks.model.distillation.losses import coding_rate, cross_view_loss, masked_token_loss


def unit_vectors(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def test_coding_rate_is_the_log_determinant() -> None:
    features_MK = unit_vectors(7, 4)
    gram = torch.eye(4) + 4 / (7 * 0.05) * features_MK.T @ features_MK
    expected = 0.5 * torch.logdet(gram) * (4 + 7) / (4 * 7)
    torch.testing.assert_close(coding_rate(features_MK[None])[0], expected)


def test_coding_rate_is_lower_for_identical_rows() -> None:
    identical = unit_vectors(1, 4).expand(7, 4)
    assert coding_rate(identical[None]) < coding_rate(unit_vectors(7, 4)[None])


def test_rows_of_weight_zero_have_no_effect() -> None:
    student, teacher = unit_vectors(2, 6, 4), unit_vectors(2, 6, 4).flip(1)
    weight_M = torch.tensor([1.0, 1, 0, 1, 0, 1], dtype=torch.float64)
    included = weight_M.bool()
    torch.testing.assert_close(
        cross_view_loss(student, teacher, weight_M),
        cross_view_loss(student[:, included], teacher[:, included]),
    )


def test_student_is_compared_with_the_other_view_of_the_teacher() -> None:
    student, teacher = unit_vectors(2, 5, 4), unit_vectors(2, 5, 4).flip(1)
    cosines = (student[0] * teacher[1]).sum(-1).mean() + (student[1] * teacher[0]).sum(-1).mean()
    expected = -cosines / 2 - coding_rate((student + teacher) / 2).mean()
    torch.testing.assert_close(cross_view_loss(student, teacher), expected)


def test_masked_tokens_are_averaged_within_scans_first() -> None:
    tokens = torch.ones(2, 4, 1)
    opposite = torch.tensor([[1.0, 1, 1, -1], [-1, 1, 1, 1]])[..., None]
    mask = torch.tensor([[True, True, True, True], [True, False, False, False]])
    assert masked_token_loss(tokens, opposite, mask).item() == pytest.approx(-(0.5 - 1) / 2)


def test_masked_token_loss_without_masked_tokens_is_zero() -> None:
    tokens = torch.ones(2, 4, 1)
    assert masked_token_loss(tokens, tokens, torch.zeros(2, 4, dtype=torch.bool)) == 0
