"""Agreement with values computed once by the public reference implementation.

The files in ``tests/reference`` hold a tiny random checkpoint, its input and its output.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from semantoks.model.distillation.schedules import half_cosine, teacher_momentum
from semantoks.model.distillation.student_teacher import SelfDistillation
from semantoks.model.files.reference import load_reference

FOLDER = Path(__file__).parents[1] / "reference"
Answers = dict[str, np.ndarray]
CASES = {"masked": (True, 0.37), "unmasked": (False, 0.37), "masked_nottr": (True, 0.0)}


@pytest.fixture(scope="module")
def answers() -> Answers:
    with np.load(FOLDER / "tiny.npz") as file:
        return dict(file)


@pytest.fixture
def model() -> SelfDistillation:
    return load_reference(FOLDER / "tiny.pth")


def losses(model: SelfDistillation, answers: Answers, case: str) -> dict[str, torch.Tensor]:
    masked, ttr_weight = CASES[case]
    names = ["view1", "view2", "mask1", "mask2"] if masked else ["view1", "view2"]
    return model.losses(*(torch.tensor(answers[n]) for n in names), ttr_weight=ttr_weight)


@pytest.mark.parametrize("role", ["student", "teacher"])
def test_tokens(model: SelfDistillation, answers: Answers, role: str) -> None:
    with torch.no_grad():
        output = getattr(model, role)(torch.tensor(answers["view1"]))
    np.testing.assert_allclose(output.cls_BD, answers[f"{role}_cls"], atol=1e-5)
    np.testing.assert_allclose(output.tokens_BLD, answers[f"{role}_tokens"][:, 1:], atol=1e-5)


def test_masked_tokens(model: SelfDistillation, answers: Answers) -> None:
    with torch.no_grad():
        output = model.student(torch.tensor(answers["view1"]), torch.tensor(answers["mask1"]))
    expected = answers["student_tokens_masked"]
    np.testing.assert_allclose(output.tokens_BLD, expected[:, 1:], atol=1e-5)


def test_features(model: SelfDistillation, answers: Answers) -> None:
    with torch.no_grad():
        features = model.teacher.embed(torch.tensor(answers["view1"]))
    np.testing.assert_allclose(features, answers["features_cls_avg"], atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_losses(model: SelfDistillation, answers: Answers, case: str) -> None:
    actual = losses(model, answers, case)
    for ours, theirs in {"cls": "cls_loss", "ttr": "network_loss", "token": "mask_loss"}.items():
        assert actual[ours].item() == pytest.approx(float(answers[f"{case}_{theirs}"]), abs=1e-5)
    assert actual["total"].item() == pytest.approx(float(answers[f"{case}_total"]), abs=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_total_gradient(model: SelfDistillation, answers: Answers, case: str) -> None:
    losses(model, answers, case)["total"].backward()
    norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters() if p.grad is not None])
    assert norm.item() == pytest.approx(float(answers[f"{case}_grad_total_norm"]), rel=1e-4)


def test_gradient_of_every_parameter(model: SelfDistillation, answers: Answers) -> None:
    losses(model, answers, "masked")["total"].backward()
    actual = sorted(p.grad.norm().item() for p in model.parameters() if p.requires_grad)
    table = json.loads((FOLDER / "tiny.json").read_text())["grad_norms_masked"]
    np.testing.assert_allclose(actual, sorted(table.values()), rtol=1e-4)


def test_teacher_update(model: SelfDistillation, answers: Answers) -> None:
    momentum = model.update_teacher(30, 100)
    assert momentum == pytest.approx(float(answers["teacher_momentum_30_of_100"]), abs=1e-12)
    actual = model.teacher.blocks[0].qkv.weight
    np.testing.assert_allclose(actual, answers["teacher_qkv0_after_update"], atol=1e-7)


def test_schedules(answers: Answers) -> None:
    actual = [0.5 * half_cosine(step, 500) for step in range(0, 600, 50)]
    np.testing.assert_allclose(actual, answers["ttr_weight_steps"], atol=1e-12)
    assert teacher_momentum(100, 100, 0.99) == 1
