"""Saving and loading of encoders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from semantoks.errors import UserError
from semantoks.model.files.checkpoint import load_encoder, load_reference, save
from semantoks.model.network.encoder import Encoder
from tests.unit.model.files.conftest import MANIFEST, REFERENCE


def test_loaded_encoder_equals_the_saved_one(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path, {"epochs": 3})
    loaded = load_encoder(tmp_path)
    x_BCT = torch.randn(2, 3, 20)
    assert torch.equal(loaded.embed(x_BCT), encoder.embed(x_BCT))
    assert (loaded.order, loaded.networks, loaded.manifest) == (
        encoder.order,
        encoder.networks,
        MANIFEST,
    )
    assert load_encoder(str(tmp_path / "encoder.safetensors")).order == ("b", "a")
    assert json.loads((tmp_path / "config.json").read_text())["training"] == {"epochs": 3}
    assert "epochs: 3" in (tmp_path / "README.md").read_text()


def test_saving_twice_gives_the_same_bytes(encoder: Encoder, tmp_path: Path) -> None:
    for name in ("first", "second"):
        save(encoder, tmp_path / name)
    for file in ("encoder.safetensors", "config.json", "README.md"):
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes()


def test_weights_of_another_architecture_raise(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["architecture"]["depth"] = 2
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="not the weights and the description of the same model"):
        load_encoder(tmp_path)


def test_reference_can_be_saved_as_encoder(tmp_path: Path) -> None:
    model = load_reference(REFERENCE)
    save(model, tmp_path)
    x_BCT = torch.randn(1, 457, 100)
    assert torch.equal(load_encoder(tmp_path).embed(x_BCT), model.teacher.embed(x_BCT))
