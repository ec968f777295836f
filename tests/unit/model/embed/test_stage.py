"""Embedding of time-series files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.torch import load_file, save_file

from semantoks.artifacts.timeseries import write_timeseries
from semantoks.artifacts.zscores import zscore
from semantoks.errors import UserError
from semantoks.model.embed import sources
from semantoks.model.embed.embedding import embed_windows
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.embed.stage import embed
from semantoks.model.files.checkpoint import save
from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import WIDTH, make_manifest
from tests.unit.model.embed.conftest import make_timeseries


def write_shard(path: Path, scans: dict[str, np.ndarray | None], **changes: Any) -> Path:
    table = pd.DataFrame({"scan": list(scans), "participant_id": list(scans)})
    table = table.assign(session="", task="rest", run="", reason="")
    table["status"] = ["excluded" if x is None else "ok" for x in scans.values()]
    write_timeseries(path, table, list(scans.values()), make_manifest(**changes))
    return path


def run_embed(folder: Path, timeseries: list[Path], **settings: Any) -> None:
    model, out = folder / "model/encoder.safetensors", folder / "out.parquet"
    embed(EmbedSettings(**settings), model=model, timeseries=timeseries, out=out)


def test_embed_writes_features_and_windows_of_included_scans(
    encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(encoder, tmp_path / "model")
    first = write_shard(
        tmp_path / "1.parquet", {"s3": make_timeseries(50, 3), "s1": make_timeseries(50, 1)}
    )
    second = write_shard(
        tmp_path / "2.parquet",
        {"s2": make_timeseries(50, 2), "short": make_timeseries(9), "excluded": None},
    )
    run_embed(tmp_path, [first, second])
    embedded = pd.read_parquet(tmp_path / "out.parquet")
    assert embedded["scan"].tolist() == ["s1", "s2", "s3", "short"]
    expected = [
        embed_windows(encoder, make_timeseries(50, seed)).mean(axis=0) for seed in (1, 2, 3)
    ]
    np.testing.assert_allclose(np.stack(embedded["features"])[:3], expected, atol=1e-6)
    assert embedded["windows"].map(len).tolist() == [8 * 2 * WIDTH] * 3 + [2 * WIDTH]
    assert np.isfinite(embedded["features"][3]).all()
    assert not caplog.records


def test_the_first_seconds_are_embedded_as_a_shorter_scan(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    whole = zscore(make_timeseries(50, 1)).astype(np.float32)
    run_embed(tmp_path, [write_shard(tmp_path / "1.parquet", {"s": whole})], seconds=60.0)
    (row,) = pd.read_parquet(tmp_path / "out.parquet")["features"]
    part = zscore(whole[:, :30].astype(float)).astype(np.float32)
    np.testing.assert_allclose(row, embed_windows(encoder, part).mean(axis=0), atol=1e-6)


def test_files_that_do_not_fit_or_have_no_included_scan_raise(
    encoder: Encoder, tmp_path: Path
) -> None:
    save(encoder, tmp_path / "model")
    other = write_shard(tmp_path / "1.parquet", {"s1": make_timeseries(50)}, tr=0.8)
    with pytest.raises(UserError, match=r"1\.parquet.*tr is 0\.8, expected 2\.0"):
        run_embed(tmp_path, [other])
    excluded = write_shard(tmp_path / "2.parquet", {"s1": None})
    with pytest.raises(UserError, match="Every scan was excluded, so there is nothing to embed"):
        run_embed(tmp_path, [excluded])
    assert not (tmp_path / "out.parquet").exists()


def test_scans_without_an_embedding_are_named_and_a_file_of_them_is_refused(
    encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(encoder, tmp_path / "model")
    empty = np.full((4, 50), np.nan, np.float32)
    mixed = {"s1": make_timeseries(50), "empty": empty, "void": empty[:, :9]}
    run_embed(tmp_path, [write_shard(tmp_path / "1.parquet", mixed)])
    assert "empty has too few regions with data in every network" in caplog.text
    assert "2 of 3 scans have no features: empty, void" in caplog.text
    (tmp_path / "out.parquet").unlink()
    without = {"empty": empty, "void": empty[:, :9]}
    with pytest.raises(
        UserError, match=r"None of 2 scans has a feature.*parcellation\.min_scan_coverage"
    ):
        run_embed(tmp_path, [write_shard(tmp_path / "2.parquet", without)])
    assert not (tmp_path / "out.parquet").exists()


def test_model_with_nan_weights_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    weights = tmp_path / "model/encoder.safetensors"
    changed = load_file(weights)
    changed["mask_embedding"][0] = np.nan
    save_file(changed, weights)
    shard = write_shard(tmp_path / "1.parquet", {"s1": make_timeseries(50)})
    with pytest.raises(
        UserError, match=r"encoder\.safetensors has NaN or infinite.*mask_embedding"
    ):
        run_embed(tmp_path, [shard])


def test_running_out_of_memory_while_loading_the_model_gives_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: Path) -> Encoder:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(sources, "load_encoder", load)
    with pytest.raises(UserError, match="Give the job more memory"):
        run_embed(tmp_path, [])
