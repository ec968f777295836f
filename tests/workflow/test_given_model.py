"""A model that is given instead of trained: from a folder, and from a hub that goes down."""

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
    """A hub on this machine with a model of 29 MB, three times what its client writes at once."""
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


def give(workspace: Workspace, checkpoint: str) -> None:
    """Let a second model be given."""
    given = {"checkpoint": checkpoint, "cpu_threads": SMALL["models"]["tiny"]["cpu_threads"]}
    workspace.configure(models=SMALL["models"] | {"given": given})


def published(hub: UnreliableServer) -> bytes:
    return (hub.folder / "encoder.safetensors").read_bytes()


def test_a_model_in_a_folder_gives_its_embeddings(workspace: Workspace) -> None:
    shutil.copytree(workspace.folder / "results/models/tiny", workspace.folder / "mine")
    give(workspace, "mine")
    assert workspace.planned()["get_model"] == 1
    assert "pretrain" not in workspace.planned()
    workspace.run()
    ours, theirs = (workspace.folder / EMBEDDING.format(name) for name in ("given", "tiny"))
    assert ours.read_bytes() == theirs.read_bytes()
    page = (workspace.folder / "results/report/index.html").read_text()
    assert "Pretrained checkpoint: mine" in page and "not known" in page
    assert workspace.planned() == {}


def test_a_model_that_is_nowhere_is_one_sentence(workspace: Workspace) -> None:
    give(workspace, "./nowhere")
    done = workspace.run(check=False)
    assert done.returncode != 0
    assert "models.given.checkpoint: there is no ./nowhere" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_download_that_breaks_for_a_moment_goes_on_where_it_was(
    workspace: Workspace, hub: UnreliableServer
) -> None:
    give(workspace, "laboratory/model")
    hub.truncate_at, hub.drop_after_truncation = 15_000_000, 2
    workspace.run(WEIGHTS)
    assert hub.ranges == ["bytes=10485760-"]  # what its client had written
    assert (workspace.folder / WEIGHTS).read_bytes() == published(hub)


def test_a_hub_that_is_gone_is_one_sentence_and_then_fetched_once(
    workspace: Workspace, hub: UnreliableServer
) -> None:
    give(workspace, "laboratory/model")
    hub.truncate_at, hub.drop_after_truncation = 15_000_000, ALL_REQUESTS
    broken = workspace.run(WEIGHTS, check=False)
    said = broken.stdout + broken.stderr
    assert broken.returncode != 0
    assert "could not be fetched from the Hugging Face hub" in said
    assert "Traceback" not in said
    assert not (workspace.folder / WEIGHTS).exists()

    hub.drop = 0
    embedding = EMBEDDING.format("given")
    workspace.run(embedding)
    assert (workspace.folder / WEIGHTS).read_bytes() == published(hub)

    hub.drop = ALL_REQUESTS  # what was fetched once needs no network
    before = (workspace.folder / embedding).read_bytes()
    workspace.run(embedding, "--forcerun", "get_model")
    assert (workspace.folder / embedding).read_bytes() == before
