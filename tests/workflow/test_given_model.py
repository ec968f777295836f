"""Use of an existing model: from a folder, and from a hub with connection failures."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from semantoks.artifacts.timeseries import read_manifest
from semantoks.config import Architecture, Tokenizer
from semantoks.model.files.checkpoint import save
from semantoks.model.network.encoder import Encoder
from tests.web import ALL_REQUESTS, UnreliableServer, serving
from tests.workspaces import SMALL, Workspace

pytestmark = pytest.mark.slow

EMBEDDING = "results/representations/{}/small.parquet"
WEIGHTS = "results/models/given/encoder.safetensors"


@pytest.fixture
def hub(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[UnreliableServer]:
    """A local hub with a model of 29 MB, about three times the chunk size of its client."""
    timeseries = next((workspace.folder / "results/timeseries/small").glob("*.parquet"))
    manifest = read_manifest(timeseries)
    sizes = Architecture(
        window=40,
        patch=20,
        depth=4,
        tokenizer=Tokenizer(dense_channels=192, structured_channels=192),
    )
    encoder = Encoder(sizes, manifest.networks)
    encoder.manifest = manifest
    save(encoder, tmp_path / "published")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    with serving(tmp_path / "published") as web:
        monkeypatch.setenv("HF_ENDPOINT", web.address)
        yield web


def add_given_model(workspace: Workspace, checkpoint: str) -> None:
    """Add an existing model to the configuration."""
    given = {"checkpoint": checkpoint, "cpu_threads": SMALL["models"]["tiny"]["cpu_threads"]}
    workspace.configure(models=SMALL["models"] | {"given": given})


def published(hub: UnreliableServer) -> bytes:
    return (hub.folder / "encoder.safetensors").read_bytes()


def test_model_from_a_folder_gives_its_embeddings(workspace: Workspace) -> None:
    shutil.copytree(workspace.folder / "results/models/tiny", workspace.folder / "mine")
    add_given_model(workspace, "mine")
    assert workspace.planned()["get_model"] == 1
    assert "pretrain" not in workspace.planned()
    workspace.run()
    ours, theirs = (workspace.folder / EMBEDDING.format(name) for name in ("given", "tiny"))
    assert ours.read_bytes() == theirs.read_bytes()
    page = (workspace.folder / "results/report/index.html").read_text()
    assert "Pretrained checkpoint: mine" in page and "not known" in page
    assert workspace.planned() == {}


def test_missing_model_gives_a_clear_error(workspace: Workspace) -> None:
    add_given_model(workspace, "./nowhere")
    done = workspace.run(check=False)
    assert done.returncode != 0
    assert "models.given.checkpoint: there is no ./nowhere" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_interrupted_download_is_resumed(workspace: Workspace, hub: UnreliableServer) -> None:
    add_given_model(workspace, "hf:laboratory/model")
    hub.truncate_at, hub.drop_after_truncation = 15_000_000, 2
    workspace.run(WEIGHTS)
    assert hub.ranges == ["bytes=10485760-"]  # the client had written one chunk of 10 MiB
    assert (workspace.folder / WEIGHTS).read_bytes() == published(hub)


def test_unreachable_hub_gives_a_clear_error_and_downloads_are_cached(
    workspace: Workspace, hub: UnreliableServer
) -> None:
    add_given_model(workspace, "hf:laboratory/model")
    hub.truncate_at, hub.drop_after_truncation = 15_000_000, ALL_REQUESTS
    broken = workspace.run(WEIGHTS, check=False)
    output = broken.stdout + broken.stderr
    assert broken.returncode != 0
    assert "could not be fetched from the Hugging Face hub" in output
    assert "Traceback" not in output
    assert not (workspace.folder / WEIGHTS).exists()

    hub.drop = 0
    embedding = EMBEDDING.format("given")
    workspace.run(embedding)
    assert (workspace.folder / WEIGHTS).read_bytes() == published(hub)

    hub.drop = ALL_REQUESTS  # a cached download needs no network
    before = (workspace.folder / embedding).read_bytes()
    workspace.run(embedding, "--forcerun", "get_model")
    assert (workspace.folder / embedding).read_bytes() == before
