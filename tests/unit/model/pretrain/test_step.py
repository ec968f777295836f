"""Losses and gradients of a step against the plain implementation in `speed/plain.py`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from semantoks.artifacts.files import read_json
from semantoks.config import Architecture, Tokenizer
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from semantoks.model.pretrain.stage import pretrain_arrays
from semantoks.model.pretrain.step import gradients
from semantoks.model.pretrain.views import Views
from speed import plain
from tests.unit.model.conftest import EXACT, draw_batch, models, take_gradients
from tests.unit.model.pretrain.conftest import NETWORKS, make_scans, make_settings


def plain_losses(
    model: SelfDistillation, batch: Views, ttr_weight: float
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    first, second = batch.views_WCT.chunk(2)
    masks = None if batch.mask_WNP is None else batch.mask_WNP.chunk(2)
    losses = plain.losses(model, (first, second), masks, ttr_weight)
    losses["total"].backward()
    return losses, take_gradients(model)


@settings(max_examples=60, deadline=None)
@given(
    model=models(),
    masked=st.booleans(),
    ttr_weight=st.sampled_from([0.0, 0.37]),
    parts=st.integers(1, 3),
)
def test_losses_and_gradients_equal_the_plain_implementation(
    model: SelfDistillation, masked: bool, ttr_weight: float, parts: int
) -> None:
    batch = draw_batch(model, model.student.architecture.window, masked)
    expected, expected_gradients = plain_losses(model, batch, ttr_weight)
    losses = gradients(model, batch, ttr_weight, parts)
    torch.testing.assert_close(losses, expected, **EXACT)
    torch.testing.assert_close(take_gradients(model), expected_gradients, **EXACT)


def make_model(
    width: int = 32, depth: int = 2, sizes: tuple[int, ...] = (9, 20, 7)
) -> SelfDistillation:
    torch.manual_seed(0)
    architecture = Architecture(
        tokenizer=Tokenizer(dense_channels=width // 2, structured_channels=width // 2),
        depth=depth,
        head_width=16,
    )
    networks = [name for name, size in zip("abc", sizes, strict=False) for _ in range(size)]
    return SelfDistillation(Encoder(architecture, networks), Projector(width, 64, 16))


@pytest.mark.parametrize("masked", [False, True])
def test_bfloat16_losses_and_gradients_are_close(masked: bool) -> None:
    model = make_model()
    batch = draw_batch(model, 100, masked)
    batch = batch._replace(views_WCT=batch.views_WCT.float())
    expected = gradients(model, batch, 0.5)
    exact = take_gradients(model)
    losses = gradients(model, batch, 0.5, precision=torch.bfloat16)
    torch.testing.assert_close(losses, expected, rtol=0, atol=1e-2)
    approximate = take_gradients(model)
    for name, gradient in exact.items():
        if gradient.norm() > 1e-6:
            cosine = torch.cosine_similarity(gradient.flatten(), approximate[name].flatten(), dim=0)
            assert cosine > 0.95, name


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_compiled_encoders_give_the_same_losses(dtype: torch.dtype) -> None:
    # Compilation takes most of the time, and each network is compiled apart.
    model = make_model(16, depth=1, sizes=(9, 7)).to(dtype)
    batch = draw_batch(model, 40, masked=True)
    batch = batch._replace(views_WCT=batch.views_WCT.to(dtype))
    expected, exact = gradients(model, batch, 0.5), take_gradients(model)
    for encoder in (model.student, model.teacher):
        encoder.encode = torch.compile(encoder.encode, dynamic=False)  # type: ignore[method-assign]
    tolerance = 1e-5 if dtype is torch.float32 else 1e-10
    torch.testing.assert_close(gradients(model, batch, 0.5), expected, rtol=0, atol=tolerance)
    # In float32 the smallest gradients are dominated by rounding.
    if dtype is torch.float64:
        torch.testing.assert_close(take_gradients(model), exact, rtol=1e-7, atol=1e-10)


def test_more_parts_than_views(tmp_path: Path) -> None:
    pretrain_arrays(make_scans(2), NETWORKS, make_settings(accumulation=9, epochs=1), tmp_path)
    assert read_json(tmp_path / "config.json")["training"]["steps"] == 1
