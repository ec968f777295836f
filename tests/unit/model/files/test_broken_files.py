"""Files that are no models, or damaged ones: a sentence each."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from semantoks.errors import UserError
from semantoks.model.files.checkpoint import load_encoder, save
from semantoks.model.files.weights import require_safetensors
from semantoks.model.network.encoder import Encoder
from tests.unit.model.files.conftest import REFERENCE

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
ANNEX = b"/annex/objects/MD5E-s123--d41d8cd98f.pth\n"
NO_MODEL = [
    (b"", "is empty"),
    (b" \n", "is empty"),
    (POINTER, "pointer of Git LFS.*git lfs pull"),
    (ANNEX, "pointer of git-annex.*datalad get"),
    (b"<!DOCTYPE html>\n<html></html>", "is a web page"),
    (b"\xef\xbb\xbf\n<?xml version='1.0'?><Error>AccessDenied</Error>", "is a web page"),
]
NAMES = [str(number) for number in range(20_000)]
TEXT = (b'{"error": "Repository not found"}', "is a text file that starts with")


def refuses(source: Path, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        load_encoder(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "message"), [*NO_MODEL, TEXT])
@pytest.mark.parametrize("name", ["model.pth", "encoder.safetensors"])
def test_file_that_is_no_model(
    encoder: Encoder, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    save(encoder, tmp_path)
    (tmp_path / name).write_bytes(content)
    refuses(tmp_path / name, rf"{name}.*{message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [*NO_MODEL, (b"{a", "damaged"), (b"\xff\xfe{\0", "damaged"), (b"[1]", "does not describe")],
)
def test_description_that_is_none(
    encoder: Encoder, tmp_path: Path, content: bytes, message: str
) -> None:
    save(encoder, tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    refuses(tmp_path, rf"config\.json.*{message}")


def unsafe(path: Path) -> None:
    torch.save(nn.Linear(2, 2), path)


def other_format(path: Path) -> None:
    save_file({"a": torch.ones(2)}, path)


def legacy(path: Path) -> None:
    content = torch.load(REFERENCE, weights_only=True)
    torch.save(content, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:60])


def overwritten(path: Path) -> None:
    content = bytearray(REFERENCE.read_bytes())
    content[2000:2400] = bytes(400)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(REFERENCE.read_bytes()[:-30]), "damaged.*end is missing"),
        (lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)), "damaged"),
        (overwritten, "damaged"),
        (legacy, "damaged"),
        (lambda path: np.savez(path.open("wb"), a=np.ones(3)), "damaged"),
        (unsafe, "could not be read as plain weights"),
        (other_format, "is a safetensors file"),
        (lambda path: torch.save([1, 2], path), "holds a list, expected a dict"),
    ],
)
def test_file_that_pytorch_cannot_read(
    tmp_path: Path, write: Callable[[Path], object], message: str
) -> None:
    write(tmp_path / "model.pth")
    refuses(tmp_path / "model.pth", message)


@pytest.mark.parametrize("size", [5, 500, -9])
def test_safetensors_that_are_cut_off(encoder: Encoder, tmp_path: Path, size: int) -> None:
    save(encoder, tmp_path)
    weights = tmp_path / "encoder.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    refuses(tmp_path, r"encoder\.safetensors is damaged")


def test_pytorch_file_under_the_name_of_safetensors(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path)
    (tmp_path / "encoder.safetensors").write_bytes(REFERENCE.read_bytes())
    refuses(tmp_path, "written by PyTorch and is no safetensors file")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"norm.weight": torch.full((16,), torch.nan)}, r"NaN or infinite.*1 of 42.*norm\.weight"),
        ({"norm.bias": torch.full((16,), -torch.inf)}, "NaN or infinite"),
        ({"norm.weight": torch.ones(3)}, r"norm\.weight has the shape \(3,\), expected \(16,\)"),
        ({"norm.weight": torch.ones(16, dtype=torch.int8)}, "numbers of type int8"),
        ({"other": torch.ones(3), "more": torch.ones(3)}, "unknown: .* and 1 more"),
    ],
)
def test_weights_that_do_not_fit(
    encoder: Encoder, tmp_path: Path, changed: dict[str, torch.Tensor], message: str
) -> None:
    save(encoder, tmp_path)
    weights = tmp_path / "encoder.safetensors"
    save_file(load_file(weights) | changed, weights)
    refuses(tmp_path, message)


def test_diverged_model_is_not_saved(encoder: Encoder, tmp_path: Path) -> None:
    encoder.norm.weight.data[3] = torch.nan
    with pytest.raises(UserError, match="NaN or infinite numbers in 1 of"):
        save(encoder, tmp_path)
    assert not list(tmp_path.iterdir())


def test_compiled_and_distributed_weights_are_loaded(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path)
    weights = tmp_path / "encoder.safetensors"
    save_file({f"module._orig_mod.{k}": v for k, v in load_file(weights).items()}, weights)
    x_BCT = torch.randn(2, 3, 20)
    assert torch.equal(load_encoder(tmp_path).embed(x_BCT), encoder.eval().embed(x_BCT))


def change(folder: Path, update: Mapping[str, Any]) -> None:
    """Change keys of config.json; a dot leads into a section, and None removes."""
    content = json.loads((folder / "config.json").read_text())
    for name, value in update.items():
        *sections, key = name.split(".")
        part = content
        for section in sections:
            part = part[section]
        if value is None:
            del part[key]
        else:
            part[key] = value
    (folder / "config.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"semantoks": "9.0", "scaling": "robust"}, r"by Semantoks 9\.0.*scaling.*or a newer one"),
        ({"architecture.rope": True}, r"architecture\.rope"),
        ({"manifest.global_signal": True}, r"manifest\.global_signal"),
        ({"manifest.engine": None}, r"manifest\.engine"),
        ({"networks": None}, "networks"),
        ({"networks": [], "network_order": [], "manifest": None}, "networks"),
        ({"networks": ["b", "a", "a"]}, "other networks of its regions"),
        ({"network_order": ["b", "a", "a"]}, "every network of the regions .* once"),
        ({"architecture": None}, "has no 'architecture'"),
        ({"architecture.depth": 2}, r"missing: blocks\.1\..* and 12 more"),
    ],
)
def test_descriptions_of_other_versions(
    encoder: Encoder, tmp_path: Path, update: dict[str, Any], message: str
) -> None:
    save(encoder, tmp_path)
    change(tmp_path, update)
    refuses(tmp_path, message)


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"architecture.depth": 10**9}, "depth 1000000000"),
        ({"architecture.tokenizer.dense_channels": 10**8}, "has the shape"),
        ({"architecture.tokenizer.scales": 60}, r"tokenizer\.scales"),
        ({"architecture.tokenizer.scales": 30_000}, r"tokenizer\.scales"),
        ({"architecture.tokenizer.structured_kernel": 10**400}, "structured_kernel"),
        (
            {"networks": NAMES, "network_order": NAMES, "manifest": None},
            "networks 20000, but .* weights",
        ),
        ({"architecture.window": 20 * 10**12}, r"architecture\.window"),
        ({"networks": [1, 2, 3]}, "networks"),
        ({"training": [1, 2]}, "training"),
    ],
)
def test_sizes_are_compared_with_the_file_before_memory_is_taken(
    encoder: Encoder, tmp_path: Path, update: dict[str, Any], message: str
) -> None:
    save(encoder, tmp_path)
    change(tmp_path, update)
    refuses(tmp_path, message)


def test_description_that_is_nested_deeply(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path)
    (tmp_path / "config.json").write_text('{"architecture": ' + "[" * 100_000)
    refuses(tmp_path, r"config\.json is damaged")


def test_a_checkpoint_with_compressed_records(tmp_path: Path) -> None:
    """A few kB could unpack to any size."""
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    refuses(path, "has compressed records")


def test_weights_of_which_one_number_is_stored(tmp_path: Path) -> None:
    content = torch.load(REFERENCE, weights_only=True)
    name = "student_predictor.mlp.0.weight"
    content["model_state_dict"][name] = torch.zeros(1, 1).expand(10**7, 10**6)
    torch.save(content, tmp_path / "model.pth")
    refuses(tmp_path / "model.pth", f"{name} has more numbers than are stored")


@pytest.mark.parametrize("content", [{1: 2}, {"model_state_dict": {1: torch.ones(2)}}, {}])
def test_checkpoints_of_odd_content(tmp_path: Path, content: dict[Any, Any]) -> None:
    torch.save(content, tmp_path / "model.pth")
    refuses(tmp_path / "model.pth", "has no weights of student_encoder")


def test_missing_half_and_links_to_nowhere_are_named(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path)
    (tmp_path / "config.json").rename(tmp_path / "other.json")
    refuses(tmp_path, r"encoder\.safetensors is there without config\.json")
    (tmp_path / "config.json").symlink_to(tmp_path / ".git/annex/objects/none")
    refuses(tmp_path, r"config\.json is a link to a file that is not there.*git annex get")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path)
    (tmp_path / "config.json").chmod(0)
    refuses(tmp_path, "cannot be read")


@pytest.mark.parametrize("start", [b"\x80", b"PK"])
def test_a_header_whose_length_looks_like_pytorch_is_safetensors(
    tmp_path: Path, start: bytes
) -> None:
    """Lengths are multiples of 8, so a header of 128 bytes begins as a pickle does."""
    path = tmp_path / "encoder.safetensors"
    save_file({"a": torch.ones(1)}, path, {"b": ""})
    padding = int.from_bytes(start, "little") - path.read_bytes()[0]
    save_file({"a": torch.ones(1)}, path, {"b": "x" * padding})
    assert path.read_bytes().startswith(start)
    require_safetensors(path)
