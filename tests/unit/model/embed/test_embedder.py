"""A trained model for use from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import semantoks
from semantoks.artifacts.timeseries import iter_scans
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
from tests.workspaces import ROOT


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
        for readout in ("pooled", "networks", "coupling_gsr", "spectrum"):
            run_embed_of(tmp_path, shard, readout)
            expected = np.stack(pd.read_parquet(tmp_path / "out.parquet")["features"])
            table = model.embed(shard, readout)
            np.testing.assert_array_equal(table.to_numpy(), expected)
            assert table.index.get_level_values("scan").tolist() == ["s1", "s2"]
        # An array is z-scored first, in whatever unit it comes.
        z = np.random.default_rng(3).standard_normal((4, 60))
        features = model.embed(z)
        assert features.shape == (table_width(model),) and features.dtype == np.float32
        np.testing.assert_allclose(model.embed(1000 + 7 * z), features, atol=1e-5)


def run_embed_of(folder: Path, shard: Path, readout: str) -> None:
    embed(
        EmbedSettings.model_validate({"readout": readout}),
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
    assert model.embed(series).shape == (table_width(model),)
    for readout, message in {
        "spectrum": "not known which frequencies",
        "coupling": "has no connectome",
        "amplitude": "have no amplitudes",
        "full": "There is no readout 'full'",
    }.items():
        with pytest.raises(UserError, match=message):
            model.embed(series, readout)


def test_what_does_not_fit_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    save(encoder, tmp_path / "model")
    model = semantoks.load(tmp_path / "model")
    for series, message in (
        (np.zeros(5), "expected .regions, volumes."),
        (np.zeros((50, 4)), "expects 4 regions, but the time series have 50"),
        (write_shard(tmp_path / "a", {"s": make_timeseries(50)}, tr=3.0), "tr is 3.0, expected 2"),
        (write_shard(tmp_path / "b", {"s": None}), "no included scan"),
    ):
        with pytest.raises(UserError, match=message):
            model.embed(series)


def test_only_names_that_cannot_be_paths_are_looked_up_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load_encoder(source: str) -> Encoder:
        asked.append(source)
        raise UserError("nothing there")

    monkeypatch.setattr(embedder, "load_encoder", load_encoder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for source in ("lab/name", "hf:lab/name@v1", "models/typo", "results/models/x", "x.pth"):
        with pytest.raises(UserError, match="nothing there"):
            semantoks.load(source)
    assert asked == ["hf:lab/name", "hf:lab/name@v1", "models/typo", "results/models/x", "x.pth"]
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        semantoks.lod  # noqa: B018
