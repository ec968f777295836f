"""The model as it runs against the model as it is written down (`speed/plain.py`)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from semantoks.config import Architecture, Tokenizer
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from semantoks.model.pretrain.step import gradients
from semantoks.model.pretrain.views import Views, slice_masks
from speed import plain

EXACT = {"rtol": 1e-9, "atol": 1e-9}

tokenizers = st.builds(
    Tokenizer,
    dense_channels=st.integers(1, 6).map(lambda n: 2 * n),
    structured_channels=st.integers(1, 6).map(lambda n: 2 * n),
    dense_kernel=st.integers(1, 5),
    structured_kernel=st.integers(1, 5),
    scales=st.integers(1, 4),
    decay_min=st.floats(0.5, 3),
    decay_max=st.floats(0.5, 3),
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[SelfDistillation, int]:
    tokenizer, patch = draw(tokenizers), draw(st.integers(2, 8))
    width = tokenizer.dense_channels + tokenizer.structured_channels
    architecture = Architecture(
        window=patch * draw(st.integers(1, 4)),
        patch=patch,
        tokenizer=tokenizer,
        depth=draw(st.integers(1, 2)),
        head_width=draw(st.sampled_from([n for n in (1, 2, width // 2, width) if width % n == 0])),
        projector_hidden=6,
        projector_output=draw(st.integers(2, 5)),
    )
    networks = draw(st.lists(st.sampled_from("abcd"), min_size=2, max_size=12))
    torch.manual_seed(draw(st.integers(0, 99)))
    model = SelfDistillation(
        Encoder(architecture, networks), Projector(width, 6, architecture.projector_output)
    ).double()
    for parameter in model.parameters():  # a teacher of its own, and no weight that is zero
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model, architecture.window


def draw_batch(model: SelfDistillation, window: int, masked: bool) -> Views:
    views_WCT = torch.randn(6, len(model.student.networks), window, dtype=torch.float64)
    patches, networks = window // model.student.architecture.patch, len(model.student.order)
    if not masked:
        return Views(views_WCT, None)
    mask_WNP = slice_masks(6, networks, patches, "paper", torch.Generator().manual_seed(0))
    return Views(views_WCT, mask_WNP)


def plain_losses(
    model: SelfDistillation, batch: Views, ttr_weight: float
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    first, second = batch.views_WCT.chunk(2)
    masks = None if batch.mask_WNP is None else batch.mask_WNP.chunk(2)
    losses = plain.losses(model, (first, second), masks, ttr_weight)
    losses["total"].backward()
    return losses, take_gradients(model)


def take_gradients(model: SelfDistillation) -> dict[str, Tensor]:
    found = {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    model.zero_grad()
    return found


@settings(max_examples=60, deadline=None)
@given(
    pair=pairs(),
    masked=st.booleans(),
    ttr_weight=st.sampled_from([0.0, 0.37]),
    parts=st.integers(1, 3),
)
def test_losses_and_gradients(
    pair: tuple[SelfDistillation, int], masked: bool, ttr_weight: float, parts: int
) -> None:
    model, window = pair
    batch = draw_batch(model, window, masked)
    expected, expected_gradients = plain_losses(model, batch, ttr_weight)
    losses = gradients(model, batch, ttr_weight, parts)
    torch.testing.assert_close(losses, expected, **EXACT)
    torch.testing.assert_close(take_gradients(model), expected_gradients, **EXACT)


@settings(max_examples=30, deadline=None)
@given(pair=pairs(), patches=st.integers(1, 6))
def test_tokens_of_any_length(pair: tuple[SelfDistillation, int], patches: int) -> None:
    encoder = pair[0].student
    volumes = patches * encoder.architecture.patch
    x_BCT = torch.randn(2, len(encoder.networks), volumes, dtype=torch.float64)
    expected_BSD = plain.encode(encoder, x_BCT)
    output = encoder(x_BCT)
    torch.testing.assert_close(output.cls_BD, expected_BSD[:, 0], **EXACT)
    torch.testing.assert_close(output.tokens_BLD, expected_BSD[:, 1:], **EXACT)


def paper_like(width: int = 32) -> SelfDistillation:
    torch.manual_seed(0)
    architecture = Architecture(
        tokenizer=Tokenizer(dense_channels=width // 2, structured_channels=width // 2),
        depth=2,
        head_width=16,
    )
    networks = [name for name, size in zip("abc", (9, 20, 7), strict=True) for _ in range(size)]
    return SelfDistillation(Encoder(architecture, networks), Projector(width, 64, 16))


@pytest.mark.parametrize("masked", [False, True])
def test_bfloat16_gives_the_same_losses(masked: bool) -> None:
    model = paper_like()
    batch = draw_batch(model, 100, masked)
    batch = batch._replace(views_WCT=batch.views_WCT.float())
    expected = gradients(model, batch, 0.5)
    exact = take_gradients(model)
    losses = gradients(model, batch, 0.5, precision=torch.bfloat16)
    torch.testing.assert_close(losses, expected, rtol=0, atol=1e-2)
    rough = take_gradients(model)
    for name, gradient in exact.items():
        if gradient.norm() > 1e-6:
            cosine = torch.cosine_similarity(gradient.flatten(), rough[name].flatten(), dim=0)
            assert cosine > 0.95, name


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_compiled_encoders_give_the_same_losses(dtype: torch.dtype) -> None:
    model = paper_like(16).to(dtype)
    batch = draw_batch(model, 40, masked=True)
    batch = batch._replace(views_WCT=batch.views_WCT.to(dtype))
    expected, exact = gradients(model, batch, 0.5), take_gradients(model)
    for encoder in (model.student, model.teacher):
        encoder.encode = torch.compile(encoder.encode, dynamic=False)  # type: ignore[method-assign]
    near = 1e-5 if dtype is torch.float32 else 1e-10
    torch.testing.assert_close(gradients(model, batch, 0.5), expected, rtol=0, atol=near)
    if dtype is torch.float64:  # single precision says little about the smallest gradients
        torch.testing.assert_close(take_gradients(model), exact, rtol=1e-7, atol=1e-10)
