"""Whole scans to feature vectors, and the refusal of time series that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from semantoks.artifacts.timeseries import Manifest, write_timeseries
from semantoks.errors import UserError
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.embed.stage import embed, embed_timeseries, require_fit
from semantoks.model.files.checkpoint import save
from semantoks.model.files.match import require_match
from semantoks.model.network.encoder import Encoder
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
        require_fit(encoder, manifest(**changes), "The time series")
    require_fit(encoder, manifest(**changes), "The time series", list(changes))


def test_allow_mismatch_names_fields(encoder: Encoder) -> None:
    with pytest.raises(UserError, match="allow_mismatch names tR; a manifest has the fields"):
        require_fit(encoder, manifest(), "The time series", ["tR"])


def shard(path: Path, scans: dict[str, np.ndarray | None], **changes: Any) -> Path:
    table = pd.DataFrame({"scan": list(scans), "participant_id": list(scans)})
    table = table.assign(session="", task="rest", run="", reason="")
    table["status"] = ["excluded" if x is None else "ok" for x in scans.values()]
    write_timeseries(path, table, list(scans.values()), manifest(**changes))
    return path


def run_embed(folder: Path, timeseries: list[Path]) -> None:
    model, out = folder / "model/encoder.safetensors", folder / "out.parquet"
    embed(EmbedSettings(), model=model, timeseries=timeseries, out=out)


def test_embed_files(encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(encoder, tmp_path / "model")
    first = shard(tmp_path / "1.parquet", {"s3": series(50, 3), "s1": series(50, 1)})
    second = shard(
        tmp_path / "2.parquet", {"s2": series(50, 2), "short": series(9), "excluded": None}
    )
    run_embed(tmp_path, [first, second])
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["scan"].tolist() == ["s1", "s2", "s3", "short"]
    expected = [embed_timeseries(encoder, series(50, seed)) for seed in (1, 2, 3)]
    np.testing.assert_allclose(np.stack(found["features"])[:3], expected, atol=1e-6)
    assert found["windows"].map(len).tolist() == [8 * 16, 8 * 16, 8 * 16, 16]
    assert np.isnan(found["features"][3]).all()
    assert "short has 9 volumes, less than a patch (10)" in caplog.text


def test_embed_files_that_do_not_fit_or_hold_nothing(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    other = shard(tmp_path / "1.parquet", {"s1": series(50)}, tr=0.8)
    with pytest.raises(UserError, match=r"1\.parquet.*tr is 0\.8, expected 2\.0"):
        run_embed(tmp_path, [other])
    nothing = shard(tmp_path / "2.parquet", {"s1": None})
    with pytest.raises(UserError, match="None of 1 time-series files holds a scan"):
        run_embed(tmp_path, [nothing])
    assert not (tmp_path / "out.parquet").exists()


def test_a_file_without_scans_has_no_space_and_fits() -> None:
    require_match(manifest(), manifest(space=""), "an empty shard")
    require_match(manifest(space=""), manifest(), "the others")
    with pytest.raises(UserError, match="tr is 3.0, expected 2.0"):
        require_match(manifest(), manifest(space="", tr=3.0), "an empty shard")
