"""Models that are found on this machine or on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

import pytest
from httpx2 import Request, Response
from huggingface_hub.errors import RemoteEntryNotFoundError

from semantoks.errors import UserError
from semantoks.model.files import hub
from semantoks.model.files.checkpoint import load_encoder, save
from semantoks.model.files.hub import locate_connectome
from semantoks.model.network.encoder import Encoder
from tests.unit.model.files.conftest import REFERENCE


def test_hub_ids_name_repository_file_and_revision(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = []

    def download(repository: str, file: str, revision: str | None) -> str:
        requests.append((repository, file, revision))
        return str(REFERENCE if file.endswith(".pth") else tmp_path / repository / file)

    save(encoder, tmp_path / "owner" / "na.me")
    monkeypatch.setattr(hub, "hf_hub_download", download)
    assert load_encoder("hf:owner/na.me").order == ("b", "a")
    assert load_encoder("hf:owner/na.me@v1.0").order == ("b", "a")
    assert len(load_encoder("hf:owner/name/seeds/0.pth@main").networks) == 457
    assert requests == [
        ("owner/na.me", "encoder.safetensors", None),
        ("owner/na.me", "config.json", None),
        ("owner/na.me", "encoder.safetensors", "v1.0"),
        ("owner/na.me", "config.json", "v1.0"),
        ("owner/name", "seeds/0.pth", "main"),
    ]


def test_a_connectome_is_of_the_same_repository_or_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(repository: str, file: str, revision: str | None) -> str:
        if repository == "owner/old":
            response = Response(404, request=Request("GET", "https://hub"))
            raise RemoteEntryNotFoundError("no such file", response=response)
        return str(tmp_path / repository / str(revision) / file)

    monkeypatch.setattr(hub, "hf_hub_download", download)
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *_, **__: None)
    assert locate_connectome("hf:owner/new@v1") == tmp_path / "owner/new/v1/connectome.safetensors"
    for source in ("hf:owner/old", "hf:owner/new/file.pth", str(tmp_path)):
        with pytest.raises(UserError, match=rf"{source} has no connectome\.safetensors"):
            locate_connectome(source)


def test_all_files_are_of_one_commit(
    encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody pushes another model between the download of the weights and that of the rest."""
    commits = iter(["a" * 40, "b" * 40])
    snapshots = tmp_path / "models--owner--moving" / "snapshots"
    for folder in ("a" * 40, "b" * 40):
        save(encoder, snapshots / folder)

    def download(_: str, file: str, revision: str | None) -> str:
        return str(snapshots / (revision or next(commits)) / file)

    monkeypatch.setattr(hub, "hf_hub_download", download)
    files = [*hub.locate("hf:owner/moving"), locate_connectome("hf:owner/moving")]
    assert {path.parent.name for path in files} == {"a" * 40}


def test_source_without_a_model_raises(tmp_path: Path) -> None:
    for missing in (tmp_path, tmp_path / "none.pth", "models/none.pth", "owner/../name"):
        with pytest.raises(UserError, match=r"folder with encoder\.safetensors and config\.json"):
            load_encoder(missing)


@pytest.mark.parametrize("name", ["owner/name", "owner/name/file.pth", "mymodels/2026"])
def test_a_missing_path_is_never_fetched_from_the_hub(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may own that name there."""
    monkeypatch.setattr(hub, "hf_hub_download", lambda *_, **__: pytest.fail("downloads"))
    with pytest.raises(UserError, match="there is none at"):
        load_encoder(name)


@pytest.mark.parametrize("name", ["hf:name", "hf:owner/../name", "hf:owner/name@", "hf:/etc/name"])
def test_other_ids_of_the_hub_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="not of the form hf:owner/name"):
        load_encoder(name)
