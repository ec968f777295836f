"""Checkpoints of the reference implementation: variants of the file, and unsafe pickles."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from semantoks.errors import UserError
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.files.reference import load_reference
from tests.unit.model.files.conftest import REFERENCE


def test_checkpoint_with_prefix_and_without_config(tmp_path: Path) -> None:
    content = torch.load(REFERENCE, weights_only=True)
    state = {f"module.{key}": value for key, value in content["model_state_dict"].items()}
    torch.save({"model_state_dict": state}, tmp_path / "bare.pth")
    expected, loaded = load_reference(REFERENCE), load_reference(tmp_path / "bare.pth")
    x_BCT = torch.randn(1, 457, 100)
    assert torch.equal(loaded.teacher.embed(x_BCT), expected.teacher.embed(x_BCT))
    assert torch.equal(load_encoder(REFERENCE).embed(x_BCT), expected.teacher.embed(x_BCT))
    given = load_reference(tmp_path / "bare.pth", {"dino": {"base_teacher_momentum": 0.5}})
    assert (expected.momentum, given.momentum) == (0.99, 0.5)


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module._orig_mod.", "model."])
@pytest.mark.parametrize("place", ["model_state_dict", "state_dict", "model", None])
def test_weights_of_wrapped_models_are_found(
    tmp_path: Path, prefix: str, place: str | None
) -> None:
    content = torch.load(REFERENCE, weights_only=True)
    state = {
        f"{prefix}{key.replace('_encoder.', '_encoder._orig_mod.')}": value
        for key, value in content["model_state_dict"].items()
    }
    torch.save({place: state} if place else state, tmp_path / "wrapped.pth")
    x_BCT, expected = torch.randn(1, 457, 100), load_encoder(REFERENCE)
    loaded = load_encoder(tmp_path / "wrapped.pth")
    assert torch.equal(loaded.embed(x_BCT), expected.embed(x_BCT))


def test_patch_that_is_not_stated_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = torch.load(REFERENCE, weights_only=True)
    load_encoder(REFERENCE)
    assert not caplog.text
    torch.save({"model": content["model_state_dict"]}, tmp_path / "bare.pth")
    load_encoder(tmp_path / "bare.pth")
    assert "does not say the size of a patch; 20 volumes are assumed" in caplog.text


NORM = "teacher_encoder.norm.weight"


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({NORM: torch.full((64,), torch.nan)}, r"NaN or infinite.*teacher\.norm\.weight"),
        ({NORM: torch.ones(3)}, r"norm\.weight has the shape \(3,\), expected \(64,\)"),
        ({NORM: torch.ones(64, dtype=torch.int8)}, "numbers of type int8"),
        ({NORM: [1.0] * 64}, r"norm\.weight is a list and not a tensor"),
        ({f"module.{NORM}": torch.ones(64)}, "same weight with and without a prefix"),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, update: dict[str, object], message: str) -> None:
    content = torch.load(REFERENCE, weights_only=True)
    content["model_state_dict"] |= update
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(UserError, match=message):
        load_encoder(tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([1], "no section 'data'"),
        ({"data": None}, "no section 'data'"),
        ({"data": {"patch_size": "a"}}, r"data\.patch_size .* is 'a', expected a number"),
        ({"data": {"patch_size": 0}}, "greater than or equal to"),
    ],
)
def test_configuration_of_another_kind(tmp_path: Path, config: object, message: str) -> None:
    content = torch.load(REFERENCE, weights_only=True)
    torch.save(content | {"config": config}, tmp_path / "model.pth")
    with pytest.raises(UserError, match=message):
        load_encoder(tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"teacher": {}, "student": {}}, r"\(in it: 'teacher', 'student'\)"),
        ({"model_state_dict": [1]}, r"\(in model_state_dict: list\)"),
        ({}, r"\(in it: nothing\)"),
    ],
)
def test_content_of_another_kind(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(UserError, match=message):
        load_encoder(tmp_path / "model.pth")


def test_weights_in_two_places_or_of_a_single_encoder_raise(tmp_path: Path) -> None:
    state = torch.load(REFERENCE, weights_only=True)["model_state_dict"]
    torch.save({"model": state, "state_dict": state}, tmp_path / "model.pth")
    with pytest.raises(UserError, match="under 'state_dict' and 'model'"):
        load_encoder(tmp_path / "model.pth")
    teacher = {name: value for name, value in state.items() if name.startswith("teacher")}
    torch.save({"model_state_dict": teacher}, tmp_path / "model.pth")
    with pytest.raises(UserError, match="no name of a weight starts with student_encoder"):
        load_encoder(tmp_path / "model.pth")


class UnsafeObject:
    """An object whose unpickling would run code."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("executed"),)  # type: ignore[return-value]


def test_pickled_code_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model_state_dict": {}, "config": UnsafeObject()}, "unsafe.pth")
    with pytest.raises(UserError, match="could not be read as plain weights"):
        load_reference("unsafe.pth")
    assert not Path("executed").exists()


def test_missing_file_raises(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no checkpoint"):
        load_reference(tmp_path / "none.pth")


def test_weights_of_another_model_raise(tmp_path: Path) -> None:
    torch.save({"model_state_dict": {"x": torch.ones(1)}}, tmp_path / "other.pth")
    with pytest.raises(
        UserError, match=r"no weights of student_encoder.* \(in model_state_dict: 'x'"
    ):
        load_reference(tmp_path / "other.pth")
