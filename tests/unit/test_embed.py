"""Whole scans to feature vectors, and the refusal of time series that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from semantoks.embed import embed_files, embed_timeseries, embed_windows
from semantoks.errors import UserError
from semantoks.model import Encoder
from semantoks.model.checkpoint import save
from semantoks.model.inputs import require_match
from semantoks.store import Manifest, Scan, write_timeseries
from tests.conftest import SIZES


def manifest(**changes: Any) -> Manifest:
    values = {
        "atlas": "tiny",
        "atlas_sha256": "0" * 64,
        "labels": ("r1", "r2", "r3", "r4"),
        "networks": ("a", "b", "a", "b"),
        "space": "MNI152NLin2009cAsym",
        "tr": 2.0,
        "low_pass": 0.1,
        "high_pass": 0.01,
        "confounds": "simple",
        "engine": "minimal",
    }
    return Manifest(**(values | changes))


@pytest.fixture
def encoder() -> Encoder:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Encoder(SIZES, ("a", "b", "a", "b")).eval()
    model.manifest = manifest()
    return model


def series(volumes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(4, volumes)).astype(np.float32)


def scan(name: str, volumes: int = 50, seed: int = 0) -> Scan:
    return Scan(name, name, "", "rest", "", 2.0, series(volumes, seed))


def test_a_scan_is_the_mean_of_evenly_spaced_windows(encoder: Encoder) -> None:
    x_CT = series(55)
    windows = torch.from_numpy(np.stack([x_CT[:, s : s + 20] for s in range(0, 36, 5)]))
    expected = encoder.embed(windows).mean(0).detach()
    np.testing.assert_allclose(embed_timeseries(encoder, x_CT), expected, atol=1e-6)


@pytest.mark.parametrize(("volumes", "used"), [(20, 20), (19, 10), (10, 10)])
def test_short_scans_use_one_shorter_window(encoder: Encoder, volumes: int, used: int) -> None:
    x_CT = series(volumes)
    starts = sorted({round(s) for s in np.linspace(0, volumes - used, 8)})
    windows = torch.from_numpy(np.stack([x_CT[:, s : s + used] for s in starts]))
    expected = encoder.embed(windows).mean(0).detach()
    np.testing.assert_allclose(embed_timeseries(encoder, x_CT), expected, atol=1e-6)


def test_ids_features_and_scans_without_a_patch(
    encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    ids, features = embed_windows(encoder, [scan("s2"), scan("s1", 9), scan("s3", 30)], manifest())
    assert ids == ["s2", "s1", "s3"]
    assert [(part.shape, part.dtype) for part in features] == [
        ((8, 16), np.float32),
        ((1, 16), np.float32),
        ((8, 16), np.float32),
    ]
    assert [bool(np.isfinite(part).all()) for part in features] == [True, False, True]
    assert "s1 has 9 volumes, less than a patch (10)" in caplog.text
    assert embed_windows(encoder, []) == ([], [])


def test_missing_regions_leave_numbers(encoder: Encoder) -> None:
    for missing in ([0], [0, 2], [0, 1, 2, 3]):
        x_CT = series(40)
        x_CT[missing] = np.nan
        assert np.isfinite(embed_timeseries(encoder, x_CT)).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tr": 0.8}, r"tr is 0\.8, expected 2\.0"),
        ({"labels": ("r2", "r1", "r3", "r4")}, r"labels\[0\] is r2, expected r1"),
        ({"labels": ("r1",)}, "labels has 1 entries, expected 4"),
        ({"low_pass": None, "space": "MNI152NLin6Asym"}, "space is .*; low_pass is None"),
    ],
)
def test_time_series_that_do_not_fit_are_refused_by_name(
    encoder: Encoder, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        embed_windows(encoder, [scan("s1")], manifest(**changes))
    embed_windows(encoder, [scan("s1")], manifest(**changes), allow_mismatch=list(changes))


def test_allow_mismatch_names_fields(encoder: Encoder) -> None:
    with pytest.raises(UserError, match="allow_mismatch names tR; a manifest has the fields"):
        embed_windows(encoder, [scan("s1")], manifest(), allow_mismatch=["tR"])


def test_embed_files(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    shards = []
    for number, names in enumerate((["s3", "s1"], ["s2", "bad"])):
        table = pd.DataFrame({"scan": names, "participant_id": names})
        table = table.assign(session="", task="rest", run="", reason="")
        table["status"] = ["excluded" if name == "bad" else "ok" for name in names]
        arrays = [None if name == "bad" else series(50, int(name[1:])) for name in names]
        shards.append(tmp_path / f"shard{number}.parquet")
        write_timeseries(shards[-1], table, arrays, manifest())
    embed_files(tmp_path / "model", shards, tmp_path / "out.parquet", threads=1)
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["scan"].tolist() == ["s1", "s2", "s3"]
    expected = [embed_timeseries(encoder, series(50, seed)) for seed in (1, 2, 3)]
    np.testing.assert_allclose(np.stack(found["features"]), expected, atol=1e-6)


def test_a_file_without_scans_has_no_space_and_fits() -> None:
    require_match(manifest(), manifest(space=""), "an empty shard")
    require_match(manifest(space=""), manifest(), "the others")
    with pytest.raises(UserError, match="tr is 3.0, expected 2.0"):
        require_match(manifest(), manifest(space="", tr=3.0), "an empty shard")
