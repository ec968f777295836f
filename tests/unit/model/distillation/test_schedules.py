"""Cosine schedules and the teacher's momentum."""

from __future__ import annotations

import math

import pytest

from semantoks.model.distillation.schedules import half_cosine, teacher_momentum


def test_cosine_decays_to_zero_and_momentum_rises_to_one() -> None:
    assert [half_cosine(s, 4) for s in (0, 2, 4, 9)] == [1, pytest.approx(0.5), 0, 0]
    assert half_cosine(0, 0) == 0
    assert teacher_momentum(0, 10, 0.99) == pytest.approx(0.99)
    assert math.isclose(teacher_momentum(10, 10, 0.99), 1)
