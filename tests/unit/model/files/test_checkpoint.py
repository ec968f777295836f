"""Model files: ours, and those of the reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from semantoks.artifacts.timeseries import Manifest
from semantoks.errors import UserError
from semantoks.model.files import checkpoint as files
from semantoks.model.files.checkpoint import load_encoder, save
from semantoks.model.files.reference import load_reference
from semantoks.model.network.encoder import Encoder
from tests.conftest import SIZES
from tests.workspaces import ROOT

TINY = ROOT / "tests/reference/tiny.pth"
MANIFEST = Manifest(
    atlas="tiny",
    atlas_sha256="0" * 64,
    labels=("r1", "r2", "r3"),
    networks=("a", "b", "a"),
    space="MNI152NLin2009cAsym",
    tr=2.0,
    low_pass=0.1,
    high_pass=0.01,
    confounds="simple",
    engine="minimal",
)


@pytest.fixture
def encoder() -> Encoder:
    model = Encoder(SIZES, MANIFEST.networks, ("b", "a"))
    model.manifest = MANIFEST
    return model


def test_round_trip(encoder: Encoder, tmp_path: Path) -> None:
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
    for name in ("one", "two"):
        save(encoder, tmp_path / name)
    for file in ("encoder.safetensors", "config.json", "README.md"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_hub_id_is_fetched(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def download(repository: str, file: str, revision: str | None) -> str:
        asked.append((repository, file, revision))
        return str(TINY if file.endswith(".pth") else tmp_path / repository / file)

    save(encoder, tmp_path / "owner" / "na.me")
    monkeypatch.setattr(files, "hf_hub_download", download)
    assert load_encoder("owner/na.me").order == ("b", "a")
    assert load_encoder("owner/na.me@v1.0").order == ("b", "a")
    assert len(load_encoder("owner/name/seeds/0.pth@main").networks) == 457
    assert asked == [
        ("owner/na.me", "encoder.safetensors", None),
        ("owner/na.me", "config.json", None),
        ("owner/na.me", "encoder.safetensors", "v1.0"),
        ("owner/na.me", "config.json", "v1.0"),
        ("owner/name", "seeds/0.pth", "main"),
    ]


def test_nothing_there(tmp_path: Path) -> None:
    for nothing in (tmp_path, tmp_path / "none.pth", "models/none.pth", "owner/../name"):
        with pytest.raises(UserError, match=r"folder with encoder\.safetensors and config\.json"):
            load_encoder(nothing)
    with pytest.raises(UserError, match="There is no checkpoint"):
        load_reference(tmp_path / "none.pth")


def test_weights_of_another_architecture(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["architecture"]["depth"] = 2
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="not the weights and the description of one model"):
        load_encoder(tmp_path)


def test_reference_with_prefix_and_without_config(tmp_path: Path) -> None:
    content = torch.load(TINY, weights_only=True)
    state = {f"module.{key}": value for key, value in content["model_state_dict"].items()}
    torch.save({"model_state_dict": state}, tmp_path / "bare.pth")
    expected, found = load_reference(TINY), load_reference(tmp_path / "bare.pth")
    x_BCT = torch.randn(1, 457, 100)
    assert torch.equal(found.teacher.embed(x_BCT), expected.teacher.embed(x_BCT))
    assert torch.equal(load_encoder(TINY).embed(x_BCT), expected.teacher.embed(x_BCT))
    given = load_reference(tmp_path / "bare.pth", {"dino": {"base_teacher_momentum": 0.5}})
    assert (expected.momentum, given.momentum) == (0.99, 0.5)


def test_a_converted_reference_can_be_saved_and_read(tmp_path: Path) -> None:
    model = load_reference(TINY)
    save(model, tmp_path)
    x_BCT = torch.randn(1, 457, 100)
    assert torch.equal(load_encoder(tmp_path).embed(x_BCT), model.teacher.embed(x_BCT))


class Intruder:
    """An object whose unpickling would run code."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("intruded"),)  # type: ignore[return-value]


def test_no_pickle_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model_state_dict": {}, "config": Intruder()}, "evil.pth")
    with pytest.raises(UserError, match="could not be read as plain weights"):
        load_reference("evil.pth")
    assert not Path("intruded").exists()


def test_another_files_content(tmp_path: Path) -> None:
    torch.save({"model_state_dict": {"x": torch.ones(1)}}, tmp_path / "other.pth")
    with pytest.raises(UserError, match="Is it a reference checkpoint"):
        load_reference(tmp_path / "other.pth")
