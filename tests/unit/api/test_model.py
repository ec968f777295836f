"""A trained model for use from Python."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semantoks
from semantoks.api import model as model_module
from semantoks.artifacts.timeseries import iter_scans
from semantoks.artifacts.zscores import zscore
from semantoks.config import FULL, Origin
from semantoks.data.index.shards import DerivativeScan, scan_table
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.parcellate.stage import parcellate
from semantoks.errors import UserError
from semantoks.model.embed import embedder
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.embed.stage import embed
from semantoks.model.files.checkpoint import save
from semantoks.model.files.connectome import save_connectome
from semantoks.model.network.encoder import Encoder
from tests.unit.model.embed.conftest import make_timeseries
from tests.unit.model.embed.test_coupling import make_connectome
from tests.unit.model.embed.test_stage import write_shard
from tests.workspaces import ROOT, environment


def test_files_and_arrays_are_embedded_as_by_the_workflow(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    series = {"s2": make_timeseries(50, 2), "s1": make_timeseries(50, 1), "excluded": None}
    shard = write_shard(tmp_path / "1.parquet", series)
    save_connectome(
        tmp_path / "model/connectome.safetensors", make_connectome(list(iter_scans([shard])))
    )
    for source in (tmp_path / "model", str(tmp_path / "model/encoder.safetensors")):
        model = semantoks.load(source)
        assert model.manifest == encoder.manifest
        for readout in ("pooled", "networks", "coupling_gsr", "spectrum", "full"):
            run_embed_of(tmp_path, shard, readout)
            expected = np.stack(pd.read_parquet(tmp_path / "out.parquet")["features"])
            table = model.embed(shard, readout)
            np.testing.assert_array_equal(table.to_numpy(), expected)
            assert table.index.get_level_values("scan").tolist() == ["s1", "s2"]
        twice = model.embed([shard, str(shard)])
        pd.testing.assert_frame_equal(twice, pd.concat([model.embed(shard)] * 2))
        # An array is z-scored first, in whatever unit it comes.
        z = np.random.default_rng(3).standard_normal((4, 60))
        features = model.embed(z, repetition_time=2.0)
        assert features.shape == (table_width(model),) and features.dtype == np.float32
        np.testing.assert_allclose(
            model.embed(1000 + 7 * z, repetition_time=2.0), features, atol=1e-5
        )


def test_a_table_is_embedded_as_the_same_file_by_the_workflow(
    encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Columns in another order, one too many and one too few, at another TR."""
    save(encoder, tmp_path / "model")
    model = semantoks.load(tmp_path / "model")
    rng, names = np.random.default_rng(0), ["r4", "other", "r1", "r3"]
    table = pd.DataFrame(rng.normal(100, 3, (150, 4)), columns=names)
    shard = parcellate_table(tmp_path, table, tr=1.3)
    expected = model.embed(shard, allow_mismatch=["engine", "confounds", "space", "atlas_sha256"])
    features = model.embed(table, repetition_time=1.3)
    np.testing.assert_array_equal(features, expected.to_numpy()[0])
    assert "1 of 4 regions of the model are missing and count as not covered: r2" in caplog.text
    assert "1 of 4 regions are left out, which the model does not have: other" in caplog.text
    array_CT = table.to_numpy().T
    of_array = model.embed(array_CT, regions=names, repetition_time=1.3)
    np.testing.assert_array_equal(of_array, features)


def parcellate_table(folder: Path, table: pd.DataFrame, tr: float) -> Path:
    """Run `parcellate` on a table, read back from text to the last digit."""
    data, out = folder / "data", folder / "series.parquet"
    data.mkdir()
    table.to_csv(data / "sub-1_task-rest_timeseries.tsv", sep="\t", index=False)
    scan = DerivativeScan("sub-1_task-rest", "sub-1", "", "rest", "", "", "", "", tr)
    scan = replace(scan, file="sub-1_task-rest_timeseries.tsv")
    scan_table([scan], DerivativeScan).to_csv(folder / "shard.tsv", sep="\t", index=False)
    regions = {"index": range(1, 5), "name": ["r1", "r2", "r3", "r4"], "network": list("abab")}
    pd.DataFrame(regions).to_csv(folder / "tiny.tsv", sep="\t", index=False)
    (folder / "tiny.json").write_text('{"space": ""}')
    settings = ParcellateSettings(atlas="tiny", origin=Origin(source="timeseries"))
    parcellate(
        settings,
        shard=folder / "shard.tsv",
        data=data,
        atlas_table=folder / "tiny.tsv",
        atlas_metadata=folder / "tiny.json",
        out=out,
    )
    return out


@pytest.mark.parametrize("volumes", [34, 60, 500])
def test_scans_of_any_length_are_embedded(encoder: Encoder, tmp_path: Path, volumes: int) -> None:
    save(encoder, tmp_path / "model")
    model = semantoks.load(tmp_path / "model")
    series = np.random.default_rng(0).standard_normal((4, volumes))
    assert np.isfinite(model.embed(series, repetition_time=0.72)).all()
    short = model.embed(series[:, :9], repetition_time=2.0, filtered=True)
    expected = embedder.SeriesEmbedder("", encoder).embed_array(zscore(series[:, :9]))
    np.testing.assert_allclose(short, expected)
    with pytest.raises(UserError, match="fewer than 34 volumes"):
        model.embed(series[:, :9], repetition_time=2.0)


def test_it_is_said_that_features_are_unknown(
    encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(encoder, tmp_path / "model")
    series = np.random.default_rng(0).standard_normal((4, 60))
    series[1:] = np.nan
    features = semantoks.load(tmp_path / "model").embed(series, "amplitude", repetition_time=2.0)
    assert np.isnan(features).any()
    assert f"{np.isnan(features).sum()} of {len(features)} features are NaN" in caplog.text
    assert "since 3 of 4 regions have no data" in caplog.text
    assert "3 of 4 regions have NaN or infinite values and count as not covered." in caplog.text


def test_what_is_no_scan_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    model = semantoks.load(tmp_path / "model")
    series = np.random.default_rng(0).standard_normal((60, 4))
    table = pd.DataFrame(series).assign(note="a")
    for scan, message in (
        (table, "The column 'note' of the time series holds no numbers"),
        ([series.T, series[:40].T], "of the type list and no array of numbers"),
        (np.array([["a"]]), "of the type ndarray and no array of numbers"),
    ):
        with pytest.raises(UserError, match=message):
            model.embed(scan, repetition_time=2.0)
    infinite = series.T.copy()
    infinite[1, 3] = np.inf
    missing = np.where(np.isinf(infinite), np.nan, infinite)
    features = [model.embed(scan, repetition_time=2.0) for scan in (infinite, missing)]
    np.testing.assert_array_equal(*features)


def test_names_that_are_not_those_of_the_model_are_refused(
    encoder: Encoder, tmp_path: Path
) -> None:
    save(encoder, tmp_path / "model")
    model = semantoks.load(tmp_path / "model")
    series = np.random.default_rng(0).standard_normal((4, 60))
    for names, message in (
        (["a", "b", "c", "r1"], "1 of 4 regions are those of the model's atlas tiny; 'a'"),
        (["r1", "r1", "r2", "r3"], "'r1' is there twice"),
        (["r1", "r2"], "`regions` names 2 regions, but the time series have 4"),
    ):
        with pytest.raises(UserError, match=message):
            model.embed(series, regions=names, repetition_time=2.0)


def test_regions_do_not_rename_the_columns_of_a_table(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    model = semantoks.load(tmp_path / "model")
    names = ["r4", "r3", "r2", "r1"]
    values_TC = np.random.default_rng(0).standard_normal((60, 4))
    table = pd.DataFrame(values_TC, columns=names)
    expected = model.embed(table, repetition_time=2.0)
    for given in (table, pd.DataFrame(values_TC), pd.DataFrame(values_TC, columns=list("1234"))):
        features = model.embed(given, regions=names, repetition_time=2.0)
        np.testing.assert_array_equal(features, expected)
    for regions in (["r1", "r2", "r3", "r4"], ["r4", "r3"]):
        with pytest.raises(UserError, match=r"`regions` \(r\d, .* not the columns .*\(r4, r3, r2"):
            model.embed(table, regions=regions, repetition_time=2.0)


def test_importing_the_package_imports_no_pytorch() -> None:
    code = "import sys, semantoks; print('torch' in sys.modules, semantoks.__all__)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    ).stdout
    assert printed == f"False {semantoks.__all__}\n"
    assert all(getattr(semantoks, name).__doc__ for name in semantoks.__all__)


def run_embed_of(folder: Path, shard: Path, readout: str) -> None:
    embed(
        EmbedSettings.model_validate({"readout": readout, "blocks": FULL}),
        model=folder / "model/encoder.safetensors",
        connectome=folder / "model/connectome.safetensors",
        timeseries=[shard],
        out=folder / "out.parquet",
    )


def table_width(model: Any) -> int:
    return 2 * model.encoder.architecture.width


def test_a_reference_checkpoint_is_a_model(tmp_path: Path) -> None:
    model = semantoks.load(ROOT / "tests/reference/tiny.pth")
    assert model.manifest is None
    series = np.random.default_rng(0).standard_normal((457, 120))
    assert model.embed(series, repetition_time=2.0).shape == (table_width(model),)
    for readout, message in {
        "spectrum": "not known which frequencies",
        "coupling": "has no connectome",
        "full": "has no connectome",
        "whole": "There is no readout 'whole'",
    }.items():
        with pytest.raises(UserError, match=message):
            model.embed(series, readout, repetition_time=2.0)


def test_what_does_not_fit_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    model = semantoks.load(tmp_path / "model")
    for series, message in (
        (tmp_path / "no.parquet", "There is no file of time series at"),
        (np.zeros(5), "expected .regions, volumes."),
        (np.zeros((50, 4)), "expects 4 regions, but the time series have 50"),
        (
            write_shard(tmp_path / "a.parquet", {"s": make_timeseries(50)}, tr=3.0),
            "tr is 3.0, expected 2",
        ),
        (write_shard(tmp_path / "b.parquet", {"s": None}), "no included scan"),
    ):
        options = {} if isinstance(series, Path) else {"repetition_time": 2.0}
        with pytest.raises(UserError, match=message):
            model.embed(series, **options)
    with pytest.raises(UserError, match="Give `repetition_time`"):
        model.embed(np.zeros((4, 50)))
    for series in (np.zeros((4, 50)), tmp_path / "b.parquet"):
        with pytest.raises(UserError, match="`confounds` goes with an image"):
            model.embed(series, repetition_time=2.0, confounds="confounds.tsv")


def test_only_names_that_cannot_be_paths_are_looked_up_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load_encoder(source: str) -> Encoder:
        asked.append(source)
        raise UserError("nothing there")

    monkeypatch.setattr(model_module, "load_encoder", load_encoder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for source in ("lab/name", "hf:lab/name@v1", "models/typo", "results/models/x", "x.pth"):
        with pytest.raises(UserError, match="nothing there"):
            semantoks.load(source)
    assert asked == ["hf:lab/name", "hf:lab/name@v1", "models/typo", "results/models/x", "x.pth"]
    with pytest.raises(UserError, match="There is no folder lab/name on this machine. nothing"):
        semantoks.load("lab/name")
    (tmp_path / "semantoks.yaml").touch()
    with pytest.raises(UserError, match=r"semantoks\.yaml is no model. Name a folder"):
        semantoks.load("semantoks.yaml")
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        semantoks.lod  # noqa: B018
