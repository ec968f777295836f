from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semantoks.artifacts.provenance import sha256
from semantoks.data.atlas.download import Source, fetch
from semantoks.errors import UserError
from tests.unit.data.atlas.conftest import write_and_read
from tests.web import ALL_REQUESTS, serving

SOURCE = Source("labels.txt", "0" * 64, ("https://example.org/pinned", "https://example.org/main"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_missing_network_is_reported_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested = []

    def fail(url: str, **_: object) -> str:
        requested.append(url)
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr("pooch.retrieve", fail)
    with pytest.raises(UserError) as error:
        write_and_read("semantoks457", tmp_path)
    message = str(error.value)
    assert "Tian_Subcortex_S3_MNI152NLin6Asym_2mm.nii.gz could not be downloaded" in message
    assert "https://raw.githubusercontent.com/yetianmed/subcortex/" in message
    assert "set `atlas_dir` to a folder that contains the file(s)" in message
    assert "\n" not in message
    assert len(requested) == 2


def test_local_file_with_wrong_hash_raises(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/labels.txt").write_text("x")
    with pytest.raises(UserError, match=r"deep/labels.txt\) is not the published file: .*0000 but"):
        fetch(SOURCE, tmp_path)


def test_download_with_wrong_hash_raises_and_leaves_no_file(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/labels.txt").write_text("<html>")
    with serving(tmp_path / "web") as server:
        source = replace(SOURCE, urls=(f"{server.address}/labels.txt",))
        with pytest.raises(UserError, match=r"begin with 000000000000 but begins with [1-9a-f]"):
            fetch(source, None)
    assert not files_below(cache)


def test_interrupted_download_leaves_no_file_and_completed_one_is_cached(
    tmp_path: Path, cache: Path
) -> None:
    published = tmp_path / "web/labels.nii"
    published.parent.mkdir()
    published.write_bytes(np.random.default_rng(0).bytes(200_000))
    with serving(published.parent) as server:
        source = Source(published.name, sha256(published), (f"{server.address}/{published.name}",))
        server.truncate_at, server.drop_after_truncation = 100_000, ALL_REQUESTS
        with pytest.raises(UserError, match=r"labels.nii could not be downloaded from http.*\("):
            fetch(source, None)
        assert not files_below(cache)
        server.drop = 0
        assert fetch(source, None).read_bytes() == published.read_bytes()
    assert fetch(source, None).read_bytes() == published.read_bytes()  # server is gone: from cache


def test_missing_file_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"does not contain labels.txt.*https://example.org"):
        fetch(SOURCE, tmp_path)
    with pytest.raises(UserError, match="the folder .*nowhere does not exist"):
        fetch(SOURCE, tmp_path / "nowhere")
