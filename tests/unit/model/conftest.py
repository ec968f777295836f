"""Sizes, manifests and random models for the tests of the model."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Architecture, Tokenizer
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.network.encoder import Encoder
from semantoks.model.network.projector import Projector
from semantoks.model.pretrain.views import Views, slice_masks

SIZES = Architecture(
    window=20,
    patch=10,
    tokenizer=Tokenizer(dense_channels=8, structured_channels=8),
    head_width=8,
    depth=1,
    projector_hidden=16,
    projector_output=8,
)
WIDTH = SIZES.width
# For comparisons with `speed/plain.py` in float64.
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def make_manifest(networks: tuple[str, ...] = ("a", "b", "a", "b"), **changes: Any) -> Manifest:
    values = {
        "atlas": "tiny",
        "atlas_sha256": "0" * 64,
        "labels": tuple(f"r{i}" for i in range(1, len(networks) + 1)),
        "networks": networks,
        "space": "MNI152NLin2009cAsym",
        "tr": 2.0,
        "low_pass": 0.1,
        "high_pass": 0.01,
        "confounds": "simple",
        "engine": "minimal",
    }
    return Manifest(**(values | changes))


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
def models(draw: st.DrawFn) -> SelfDistillation:
    """Models of random sizes and networks, in float64."""
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
    # Otherwise the teacher equals the student, and biases are zero.
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def draw_batch(model: SelfDistillation, window: int, masked: bool) -> Views:
    """Two random views of three scans, in float64."""
    views_WCT = torch.randn(6, len(model.student.networks), window, dtype=torch.float64)
    patches, networks = window // model.student.architecture.patch, len(model.student.order)
    if not masked:
        return Views(views_WCT, None)
    mask_WNP = slice_masks(6, networks, patches, "paper", torch.Generator().manual_seed(0))
    return Views(views_WCT, mask_WNP)


def take_gradients(model: SelfDistillation) -> dict[str, Tensor]:
    """Return the gradients of the student and set them to zero."""
    taken = {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in model.named_parameters()
        if p.requires_grad
    }
    model.zero_grad()
    return taken
