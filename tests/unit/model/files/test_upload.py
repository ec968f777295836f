"""Models that go to a hub and come back, by the commands that users type."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from semantoks.artifacts.provenance import sidecar
from semantoks.errors import UserError
from semantoks.model.files.checkpoint import save
from semantoks.model.files.connectome import save_connectome
from semantoks.model.files.upload import push
from semantoks.model.network.encoder import Encoder
from tests.hub import Hub, running_hub
from tests.unit.model.conftest import SIZES, make_manifest
from tests.unit.model.files.test_connectome import make_connectome
from tests.workspaces import environment

SUMMARY = {"scans": 13, "epochs": 4, "final": {"loss": -1.7051866, "teacher_effective_rank": 3.25}}
LOAD = """
import functools, sys, numpy as np, semantoks
assert "torch" not in sys.modules
model = semantoks.load(sys.argv[1])
scan = np.random.default_rng(0).standard_normal((4, 40))
embed = functools.partial(model.embed, repetition_time=2.0, filtered=True)
np.save(sys.argv[2], np.concatenate([embed(scan), embed(scan, "coupling")]))
"""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_TOKEN", "right")
    with running_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A model folder, with files that stay at home."""
    folder, manifest = tmp_path / "results/models/tiny", make_manifest()
    model = Encoder(SIZES, manifest.networks)
    model.manifest = manifest
    save(model, folder, SUMMARY)
    save_connectome(folder / "connectome.safetensors", make_connectome())
    inputs = {"results/timeseries/abide/a.parquet": "", "/home/jane/secret.parquet": ""}
    sidecar(folder / "encoder.safetensors").write_text(json.dumps({"inputs": inputs}))
    (folder / "metrics.parquet").touch()
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python anew: the client of the hub reads its address when it is imported."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment())


def pushed(*arguments: object) -> subprocess.CompletedProcess[str]:
    return run("-m", "semantoks", "push", *arguments)


@pytest.mark.slow
def test_a_model_comes_back_as_it_went(hub: Hub, trained: Path, tmp_path: Path) -> None:
    done = pushed(trained, "lab/tiny", "--licence", "cc-by-nc-4.0")
    assert done.stdout.startswith(f"{hub.address}/lab/tiny/commit/"), done.stderr
    files = hub.repositories["lab/tiny"]
    names = ["README.md", "config.json", "connectome.safetensors", "encoder.safetensors"]
    assert sorted(files) == names and hub.private["lab/tiny"]
    for name in names[1:]:
        assert files[name] == (trained / name).read_bytes()
    for number, source in enumerate(("lab/tiny", trained)):
        back = run("-c", LOAD, source, tmp_path / f"{number}.npy")
        assert back.returncode == 0, back.stderr
    there, local = (np.load(tmp_path / f"{number}.npy") for number in range(2))
    np.testing.assert_array_equal(there, local)
    assert np.isfinite(local).all()


@pytest.mark.slow
def test_the_card_says_what_users_need_and_nothing_of_people(hub: Hub, trained: Path) -> None:
    pushed(trained, "lab/tiny", "--licence", "cc-by-nc-4.0", "--public")
    card = hub.repositories["lab/tiny"]["README.md"].decode()
    assert not hub.private["lab/tiny"]
    assert card.startswith("---\nlibrary_name: semantoks\nlicense: cc-by-nc-4.0\n")
    for line in (
        'model = semantoks.load("lab/tiny")',
        "- data sets: abide",
        "- scans: 13",
        "- people: 15",
        "- people held out: not known",
        "| repetition time | 2 s |",
        "- loss (last epoch): -1.705",
        "- effective rank of embeddings (last epoch): 3.25",
    ):
        assert line in card.splitlines(), line
    assert "jane" not in card and "secret" not in card
    again = pushed(trained, "lab/tiny")
    assert "exists on the hub and everybody can see it" in again.stderr and again.returncode == 1
    assert "states no licence" in again.stderr


@pytest.mark.slow
def test_what_the_hub_refuses_is_a_sentence(
    hub: Hub, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "wrong")
    done = pushed(trained, "lab/tiny")
    assert "could not be uploaded" in done.stderr and "hf auth login" in done.stderr
    assert done.returncode == 1 and "Traceback" not in done.stderr
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = pushed(trained, "lab/tiny")
    assert "Check the name and the connection" in done.stderr and "Traceback" not in done.stderr


def test_only_models_that_were_trained_here_are_pushed(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "given", {"checkpoint": "/home/jane/model.pth"})
    with pytest.raises(UserError, match="was not trained here"):
        push(tmp_path / "given", "lab/tiny")
    with pytest.raises(UserError, match="A model is a folder with"):
        push(tmp_path, "lab/tiny")
    for name in ("tiny", "lab/tiny/x", "../tiny", "lab/ti ny"):
        with pytest.raises(UserError, match="not of the form owner/name"):
            push(tmp_path / "given", name)
    with pytest.raises(UserError, match="no identifier of a licence"):
        push(tmp_path / "given", "lab/tiny", licence="my: licence\n")
