"""Pretraining on files and on arrays, in a single process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from semantoks.artifacts.files import read_json
from semantoks.artifacts.timeseries import write_timeseries
from semantoks.errors import UserError
from semantoks.model.files.checkpoint import load_encoder
from semantoks.model.pretrain.settings import PretrainSettings
from semantoks.model.pretrain.stage import pretrain, pretrain_arrays
from tests.unit.model.conftest import make_manifest
from tests.unit.model.pretrain.conftest import NETWORKS, make_scans, make_settings, read_outputs

WRITTEN = {"README.md", "config.json", "encoder.safetensors", "metrics.parquet"}
SCRIPT = """
import sys
from pathlib import Path
import numpy as np
import torch
from semantoks.config import Pretraining
from semantoks.model.pretrain.stage import pretrain_arrays

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(0)
scans = [rng.normal(size=(12, 40)).cumsum(1) for _ in range(20)]
scans = [(x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True) for x in scans]
scans[3][:4] = np.nan  # only one of two processes then has a scan without this network
settings = Pretraining.model_validate_json(Path(sys.argv[1]).read_text())
pretrain_arrays(scans, ["a"] * 4 + ["b"] * 3 + ["c"] * 5, settings, Path(sys.argv[2]))
"""


def test_model_metrics_and_summary_are_written(tmp_path: Path) -> None:
    model = pretrain_arrays(make_scans(), NETWORKS, make_settings(), tmp_path)
    assert read_outputs(tmp_path).keys() == WRITTEN
    metrics = pd.read_parquet(tmp_path / "metrics.parquet")
    assert metrics["epoch"].tolist() == [1, 2, 3]
    assert np.isfinite(metrics.to_numpy()).all()
    measures = {"effective_rank", "token_cosine", "coding_rate"}
    assert {f"{r}_{m}" for r in ("student", "teacher") for m in measures} <= set(metrics)
    x_BCT = torch.from_numpy(make_scans()[0][None, :, :20])
    assert torch.equal(load_encoder(tmp_path).embed(x_BCT), model.teacher.embed(x_BCT))
    training = read_json(tmp_path / "config.json")["training"]
    assert (training["scans"], training["batch_size"], training["steps"]) == (10, 4, 6)


def write_shard(path: Path, ids: Sequence[str], **changes: Any) -> Path:
    table = pd.DataFrame({"scan": ids, "participant_id": ids})
    table = table.assign(session="", task="rest", run="", status="ok", reason="")
    write_timeseries(path, table, make_scans(len(ids)), make_manifest(NETWORKS, **changes))
    return path


def run_pretrain(shards: list[Path], folder: Path) -> None:
    out = folder / "model/encoder.safetensors"
    pretrain(PretrainSettings(model=make_settings()), timeseries=shards, out=out)


def test_pretrain_reads_shards(tmp_path: Path) -> None:
    shards = [
        write_shard(tmp_path / "1.parquet", ["s1", "s2", "s3"]),
        write_shard(tmp_path / "2.parquet", ["s4", "s5"]),
    ]
    run_pretrain(shards, tmp_path)
    manifest = load_encoder(tmp_path / "model").manifest
    assert manifest is not None and manifest.labels[3] == "r4"


def test_no_shards_or_shards_of_different_manifests_raise(tmp_path: Path) -> None:
    shards = [
        write_shard(tmp_path / "1.parquet", ["s1", "s2"]),
        write_shard(tmp_path / "2.parquet", ["s3", "s4"], tr=0.8),
    ]
    with pytest.raises(UserError, match=r"2\.parquet does not fit.*tr is 0\.8, expected 2\.0"):
        run_pretrain(shards, tmp_path)
    with pytest.raises(UserError, match="found none"):
        run_pretrain([], tmp_path)


def run_script(folder: Path, launcher: list[str], accumulation: int = 1) -> None:
    folder.mkdir()
    settings = make_settings(
        epochs=4, batch_size=8, learning_rate=0.1, ttr_fraction=0.9, accumulation=accumulation
    )
    (folder / "fit.py").write_text(SCRIPT)
    (folder / "settings.json").write_text(settings.model_dump_json())
    subprocess.run(
        [sys.executable, *launcher, "fit.py", "settings.json", "out"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path("src").resolve()), "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=120,
    )


def load_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "out" / "encoder.safetensors")


@pytest.mark.slow
def test_two_processes_and_accumulation_train_the_same_model(tmp_path: Path) -> None:
    run_script(tmp_path / "single", [])
    expected = load_weights(tmp_path / "single")
    assert expected["cls_embedding"].dtype == torch.float64
    two_ranks = ["-m", "semantoks.system.ranks", "2", "1"]
    for name, launcher, parts in (
        ("two", two_ranks, 1),
        ("parts", [], 3),
        ("two_parts", two_ranks, 2),
    ):
        run_script(tmp_path / name, launcher, parts)
        assert {path.name for path in (tmp_path / name / "out").iterdir()} == WRITTEN
        torch.testing.assert_close(load_weights(tmp_path / name), expected, rtol=0, atol=1e-6)
        actual, expected_metrics = (
            pd.read_parquet(tmp_path / folder / "out" / "metrics.parquet")
            for folder in (name, "single")
        )
        np.testing.assert_allclose(actual, expected_metrics, atol=1e-5)


def test_a_part_of_the_people(tmp_path: Path) -> None:
    """It has as many steps, says how many people it has seen, and all is as it was without."""
    path = tmp_path / "toy/series.parquet"
    path.parent.mkdir()
    people = [f"sub-{number:02d}" for number in range(20)]
    rows = pd.DataFrame({"scan": people, "participant_id": people, "session": ""}).assign(
        task="rest", run="", status="ok", reason=""
    )
    arrays = [scan.astype(np.float32) for scan in make_scans(20)]
    write_timeseries(path, rows, arrays, make_manifest(tuple(NETWORKS)))
    model = make_settings()
    for fraction in (None, 0.5):
        out = tmp_path / f"{fraction}/encoder.safetensors"
        pretrain(PretrainSettings(model=model, people=fraction), timeseries=[path], out=out)
    whole, half = (read_json(tmp_path / f"{n}/config.json")["training"] for n in (None, 0.5))
    assert (whole["scans"], half["scans"]) == (20, 10) and "people" not in whole
    assert (half["people"], half["people_of_all"]) == (10, 20)
    assert (
        half["steps"] == pytest.approx(whole["steps"], abs=2) and half["epochs"] > whole["epochs"]
    )
    assert "people" not in PretrainSettings(model=model).model_dump(mode="json")
