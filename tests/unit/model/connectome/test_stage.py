"""Reference covariances and the map, from files of time series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.timeseries import write_timeseries
from semantoks.config import ConnectomeMap
from semantoks.connectivity.covariance import covariance
from semantoks.errors import UserError
from semantoks.model.connectome.settings import ConnectomeSettings
from semantoks.model.connectome.stage import connectome
from semantoks.model.files.connectome import load_connectome
from tests.unit.model.conftest import make_manifest

REGIONS = 4
SETTINGS = ConnectomeSettings(map=ConnectomeMap(components=5))


def draw_scans(count: int, volumes: int = 70, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    arrays = [
        (rng.standard_normal((REGIONS, REGIONS)) @ rng.standard_normal((REGIONS, volumes)))
        for _ in range(count)
    ]
    return {
        f"sub-{number:02d}_task-rest": ((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True))
        for number, x in enumerate(arrays)
    }


def write_files(folder: Path, scans: dict[str, np.ndarray], held_out: int = 0) -> tuple[Path, Path]:
    """Write time series of the data set `a` and its table, in which the last ones are held out."""
    rows = pd.DataFrame({"scan": list(scans), "participant_id": [name[:6] for name in scans]})
    rows = rows.assign(session="", task="rest", run="", status="ok", reason="")
    path, table = folder / "timeseries/a/shard.parquet", folder / "scans/a.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.parent.mkdir(exist_ok=True)
    write_timeseries(path, rows, [x.astype(np.float32) for x in scans.values()], make_manifest())
    rows["held_out"] = [False] * (len(rows) - held_out) + [True] * held_out
    rows["recording"] = rows["fingerprint"] = rows["scan"]
    rows.to_parquet(table)
    return path, table


def test_references_are_means_and_the_map_is_of_halves(tmp_path: Path) -> None:
    scans = draw_scans(14)
    scans["sub-13_task-rest"] = scans["sub-13_task-rest"][:, :50]  # 100 s have no halves of 60
    path, _ = write_files(tmp_path, scans)
    out = tmp_path / "connectome.safetensors"
    assert connectome(SETTINGS, timeseries=[path], out=out) == [out]
    loaded = load_connectome(out)
    expected = np.mean([covariance(x.astype(np.float32), 0.3) for x in scans.values()], axis=0)
    np.testing.assert_allclose(loaded.plain.covariance_CC, expected, atol=1e-12)
    assert loaded.without_global_signal.estimator.shrinkage == 0.3
    assert loaded.distilled is not None and loaded.distilled.weights_FK.shape == (10, 5)
    assert loaded.summary.model_dump() == {
        "scans": 14,
        "people": 14,
        "scans_of_map": 13,
        "penalty": 0.3,
    }
    first = out.read_bytes()
    connectome(SETTINGS, timeseries=[path], out=out)
    assert out.read_bytes() == first


def test_people_who_are_held_out_change_nothing(tmp_path: Path) -> None:
    files = []
    for name, seed in (("first", 1), ("second", 2)):
        scans = draw_scans(12) | {
            name.replace("sub-0", "sub-9"): 3 * x for name, x in draw_scans(4, seed=seed).items()
        }
        (tmp_path / name).mkdir()
        path, table = write_files(tmp_path / name, scans, held_out=4)
        files.append(tmp_path / name / "connectome.safetensors")
        connectome(SETTINGS, timeseries=[path], scans=[table], out=files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
    assert load_connectome(files[0]).summary.people == 12


def test_the_map_is_of_so_many_scans_at_most(tmp_path: Path) -> None:
    path, _ = write_files(tmp_path, draw_scans(20))
    out = tmp_path / "connectome.safetensors"
    settings = ConnectomeSettings(map=ConnectomeMap(components=300, scans=10))
    connectome(settings, timeseries=[path], out=out)
    loaded = load_connectome(out)
    assert (loaded.summary.scans, loaded.summary.scans_of_map) == (20, 10)


def test_untrained_models_have_references_and_no_map(tmp_path: Path) -> None:
    path, _ = write_files(tmp_path, draw_scans(12))
    trained, untrained = tmp_path / "trained.safetensors", tmp_path / "untrained.safetensors"
    connectome(SETTINGS, timeseries=[path], out=trained)
    connectome(ConnectomeSettings(map=None), timeseries=[path], out=untrained)
    assert load_connectome(untrained).distilled is None
    assert np.array_equal(
        load_connectome(trained).plain.covariance_CC, load_connectome(untrained).plain.covariance_CC
    )


def test_short_scans_have_no_map_which_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = write_files(tmp_path, draw_scans(12, volumes=40))
    out = tmp_path / "connectome.safetensors"
    connectome(SETTINGS, timeseries=[path], out=out)
    assert load_connectome(out).distilled is None
    assert "No map is distilled: 0 scan(s) have halves of 60 s, and it needs 10" in caplog.text


def test_scans_without_data_are_refused(tmp_path: Path) -> None:
    path, _ = write_files(tmp_path, {"sub-01": np.full((REGIONS, 70), np.nan)})
    with pytest.raises(UserError, match="None of the scans has two regions with data"):
        connectome(SETTINGS, timeseries=[path], out=tmp_path / "connectome.safetensors")


def test_a_given_model_brings_its_file(tmp_path: Path) -> None:
    path, _ = write_files(tmp_path, draw_scans(12))
    (tmp_path / "given").mkdir()
    out, copy = tmp_path / "given/connectome.safetensors", tmp_path / "copy.safetensors"
    connectome(SETTINGS, timeseries=[path], out=out)
    connectome(ConnectomeSettings(checkpoint=str(out.parent)), files=[out], out=copy)
    assert copy.read_bytes() == out.read_bytes()
    out.unlink()
    for checkpoint in (out.parent, tmp_path / "reference.pth"):
        with pytest.raises(UserError, match=r"has no connectome\.safetensors, which the readouts"):
            connectome(ConnectomeSettings(checkpoint=str(checkpoint)), out=copy)
