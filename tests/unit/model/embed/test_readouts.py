"""Readouts of whole scans, alone and as blocks of one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.representations import FeatureBlock, read_participant_features
from semantoks.artifacts.tables import open_parquet
from semantoks.artifacts.timeseries import write_timeseries
from semantoks.config import Block
from semantoks.errors import UserError
from semantoks.model.embed import sources
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.embed.stage import embed
from semantoks.model.files.checkpoint import save
from semantoks.model.files.connectome import save_connectome
from semantoks.model.network.encoder import Encoder
from tests.unit.model.conftest import WIDTH, make_manifest
from tests.unit.model.embed.conftest import make_timeseries
from tests.unit.model.files.test_connectome import make_connectome

BLOCKS: tuple[Block, ...] = (
    *("networks", "coupling", "coupling_gsr"),
    *("distilled", "amplitude", "spectrum"),
)
SIZES = {"pooled": 2 * WIDTH, "networks": 2 * WIDTH, "coupling": 10, "coupling_gsr": 10}
SIZES |= {"distilled": 4, "amplitude": 4, "spectrum": 16}


def write_shard(path: Path, with_amplitude: bool = True, people: str = "abc") -> Path:
    arrays = [make_timeseries(50, seed) for seed in range(len(people))]
    arrays[-1][2] = np.nan
    table = pd.DataFrame({"scan": [*people], "participant_id": [*people], "status": "ok"})
    table = table.assign(session="", task="rest", run="", reason="")
    amplitudes = [np.arange(4.0) + n for n in range(len(people))]
    amplitudes[-1][2] = np.nan
    given: dict[str, Any] = {"amplitudes": amplitudes} if with_amplitude else {}
    write_timeseries(path, table, arrays, make_manifest(), **given)
    return path


@pytest.fixture
def folder(encoder: Encoder, tmp_path: Path) -> Path:
    save(encoder, tmp_path / "model")
    save_connectome(tmp_path / "model/connectome.safetensors", make_connectome())
    write_shard(tmp_path / "shard.parquet")
    return tmp_path


def run_embed(
    folder: Path, readout: str, shards: tuple[str, ...] = ("shard",), **more: Any
) -> Path:
    participants = more.pop("participants", None)
    settings = EmbedSettings.model_validate({"readout": readout} | more)
    out = folder / f"{readout}.parquet"
    embed(
        settings,
        model=folder / "model/encoder.safetensors",
        connectome=folder / "model/connectome.safetensors",
        timeseries=[folder / f"{name}.parquet" for name in shards],
        participants=participants,
        out=out,
    )
    return out


WEIGHTS = {"networks": 0.2, "amplitude": 0.5, "spectrum": 0.2}


def test_full_is_its_blocks_side_by_side(folder: Path) -> None:
    full = read_participant_features(run_embed(folder, "full", blocks=BLOCKS))
    assert full.blocks == tuple(
        FeatureBlock(name, SIZES[name], WEIGHTS.get(name, 1.0)) for name in BLOCKS
    )
    apart = [read_participant_features(run_embed(folder, name)) for name in BLOCKS]
    assert all(features.blocks == () for features in apart)
    expected_PF = np.concatenate([features.features_PF for features in apart], axis=1)
    np.testing.assert_allclose(full.features_PF, expected_PF, rtol=1e-5)
    # Three scans; of the third, a region has no data.
    unknown = np.isnan(full.features_PF).sum(axis=1)
    assert unknown.tolist() == [0, 0, 4 + 4 + 1 + 4]
    assert "windows" not in open_parquet(folder / "full.parquet").schema_arrow.names


def test_the_order_of_blocks_is_that_of_the_settings(folder: Path) -> None:
    blocks = ["spectrum", "pooled"]
    features = read_participant_features(run_embed(folder, "full", blocks=blocks))
    assert features.blocks == (("spectrum", 16, 0.2), ("pooled", 2 * WIDTH, 1.0))
    pooled = read_participant_features(run_embed(folder, "pooled")).features_PF
    np.testing.assert_allclose(features.features_PF[:, 16:], pooled, rtol=1e-5)


@pytest.mark.parametrize("readout", ["coupling", "distilled", "amplitude", "spectrum"])
def test_only_what_needs_the_encoder_loads_it(
    folder: Path, readout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "load_encoder", lambda path: pytest.fail("was loaded"))
    run_embed(folder, readout)


def test_files_without_amplitudes_have_no_such_block(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_shard(folder / "old.parquet", with_amplitude=False, people="xyz")
    features = read_participant_features(run_embed(folder, "full", ("old",), blocks=BLOCKS))
    assert [block.name for block in features.blocks] == [b for b in BLOCKS if b != "amplitude"]
    assert "The block amplitude is left out: the time series have no amplitudes" in caplog.text
    with pytest.raises(UserError, match="There is no amplitude to read: the time series have no"):
        run_embed(folder, "amplitude", ("old",))
    both = read_participant_features(run_embed(folder, "amplitude", ("old", "shard")))
    assert np.isnan(both.features_PF).all(axis=1).tolist() == [False] * 3 + [True] * 3


def test_a_model_without_a_map_has_no_such_block(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_connectome(folder / "model/connectome.safetensors", make_connectome(with_map=False))
    features = read_participant_features(run_embed(folder, "full", blocks=BLOCKS))
    assert [block.name for block in features.blocks] == [b for b in BLOCKS if b != "distilled"]
    assert "The block distilled is left out: the model has no distilled map" in caplog.text
    with pytest.raises(UserError, match="There is no distilled to read"):
        run_embed(folder, "distilled")


def test_a_connectome_of_other_regions_is_refused(folder: Path) -> None:
    other = make_manifest(("a", "b", "a", "a"))
    connectome = make_connectome()
    path = folder / "model/connectome.safetensors"
    save_connectome(path, type(connectome)(**(vars(connectome) | {"manifest": other})))
    with pytest.raises(UserError, match=r"shard\.parquet does not fit the model: networks\[3\]"):
        run_embed(folder, "coupling")
    run_embed(folder, "spectrum")
    path.unlink()
    with pytest.raises(UserError, match="There is no connectome of a model at"):
        run_embed(folder, "coupling")


def test_recentring_needs_sites_and_says_which_scans_have_none(folder: Path) -> None:
    people, column = folder / "participants.parquet", {"recentre": "site", "site_column": "town"}
    pd.DataFrame({"participant_id": [*"abc"], "site": 1}).to_parquet(people)
    with pytest.raises(UserError, match=r"participants\.parquet has no column 'town', which"):
        run_embed(folder, "coupling", participants=people, **column)
    with pytest.raises(UserError, match="needs the table of participants"):
        run_embed(folder, "coupling", **column)


def test_sites_of_twenty_scans_are_recentred(folder: Path) -> None:
    letters = "abcdefghijklmnopqrst"
    write_shard(folder / "shard.parquet", people=letters)
    people = folder / "participants.parquet"
    pd.DataFrame({"participant_id": [*letters], "town": "north"}).to_parquet(people)
    stored = read_participant_features(run_embed(folder, "coupling")).features_PF
    path = run_embed(
        folder, "coupling", participants=people, recentre="site", site_column=["city", "town"]
    )
    recentred = read_participant_features(path).features_PF
    far, near = (np.abs(np.nanmean(rows, axis=0)).max() for rows in (stored, recentred))
    assert near < far / 2


def test_full_without_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="the readout full consists of `blocks`, but names none"):
        EmbedSettings(readout="full")
