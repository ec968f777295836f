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
    with pytest.raises(UserError, match="Is it a reference checkpoint"):
        load_reference(tmp_path / "other.pth")
