"""From files to the row of a fine-tuned model, and to a model that `embed` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.artifacts.timeseries import Manifest, iter_scans
from semantoks.config import Phenotype, Probe
from semantoks.errors import UserError
from semantoks.finetune.settings import FinetuneSettings
from semantoks.finetune.stage import finetune
from semantoks.model.embed.embedding import embed_windows
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.embed.stage import embed
from semantoks.model.files.checkpoint import load_encoder, save
from semantoks.model.network.encoder import Encoder
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.benchmark.stage import benchmark
from tests.conftest import run_probe, run_represent, run_split
from tests.unit.model.conftest import SIZES

Cohort = tuple[list[Path], Path]
TRAINING = {"splits": 2, "epochs": 3}


@pytest.fixture
def model(tmp_path: Path, manifest: Manifest) -> Path:
    """An untrained model on disk."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = Encoder(SIZES, manifest.networks)
    encoder.manifest = manifest
    save(encoder, tmp_path / "model", {"epochs": 0})
    return tmp_path / "model/encoder.safetensors"


def run(cohort: Cohort, model: Path, folder: Path, kind: str, **training: Any) -> list[Path]:
    paths, participants = cohort
    name = "group" if kind == "classification" else "trait"
    splits = folder / f"{name}.parquet"
    scans = participants.with_name("scans.parquet")
    run_split(participants, scans, splits, name=name, phenotype=Phenotype(kind=kind))
    return finetune(
        FinetuneSettings(training=TRAINING | training, probe={"inner_folds": 2}),
        model=model,
        timeseries=paths,
        splits=splits,
        representation="tiny-finetuned",
        save=folder / "finetuned/encoder.safetensors",
        out=folder / "tiny-finetuned.parquet",
    )


def test_the_row_is_compared_like_any_other(cohort: Cohort, model: Path, tmp_path: Path) -> None:
    written = run(cohort, model, tmp_path, "classification")
    assert all(path.exists() for path in written)
    scores, metadata = read_table(written[0]), read_metadata(written[0])
    assert (len(scores), metadata["protocol"], metadata["p_permutation"]) == (2, "finetune", None)
    predictions = read_table(written[1])
    assert predictions["split"].value_counts().tolist() == scores["test_people"].tolist()
    np.testing.assert_allclose(predictions["probabilities"].map(sum), 1)
    paths, participants = cohort
    run_represent("fc", paths, participants, tmp_path / "fc.parquet")
    fc = tmp_path / "group-fc.parquet"
    settings = Probe(repeats=4, permutations=0, inner_folds=2, learning_curve=[])
    run_probe([tmp_path / "fc.parquet"], tmp_path / "group.parquet", "fc", settings, fc)
    out = tmp_path / "group.json"
    benchmark(BenchmarkSettings(), scores=[fc, written[0]], dataset="toy", out=out)
    result = read_json(out)
    rows = {row["representation"]: row for row in result["schemes"][0]["representations"]}
    ours = rows["tiny-finetuned"]
    assert (result["protocol"], ours["protocol"], ours["splits"]) == ("exact", "finetune", 2)
    assert result["schemes"][0]["splits"] == 4 and "splits" not in rows["fc"]
    of_both = scores["balanced_accuracy"] - read_table(fc)["balanced_accuracy"].head(2)
    assert ours["difference_from_baseline"]["mean"] == pytest.approx(of_both.mean())
    assert rows["fc"]["balanced_accuracy"]["mean"] == pytest.approx(
        read_table(fc)["balanced_accuracy"].mean()
    )
    assert any("tiny-finetuned 2" in note for note in result["schemes"][0]["notes"])


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_model_of_everybody_embeds_and_predicts(
    cohort: Cohort, model: Path, tmp_path: Path, kind: str
) -> None:
    """What `head.json` says is enough to predict from the files alone."""
    written = run(cohort, model, tmp_path, kind)
    encoder_file, _, head_file, predicts = written[3:]
    out = tmp_path / "embedded.parquet"
    embed(EmbedSettings(), model=encoder_file, timeseries=cohort[0], out=out)
    encoder, head = load_encoder(encoder_file), load_file(head_file)
    scan = next(iter_scans(cohort[0]))
    features_F = embed_windows(encoder, scan.timeseries_CT).mean(axis=0)
    np.testing.assert_allclose(read_table(out)["features"][0], features_F, atol=1e-6)
    standard_F = (torch.from_numpy(features_F) - head["mean"]) / head["deviation"]
    outputs_K = head["weight"] @ standard_F + head["bias"]
    content = json.loads(predicts.read_text())
    assert content["people"] == 23
    if kind == "classification":
        assert content["classes"] == ["control", "patient"] and outputs_K.shape == (2,)
    else:
        assert outputs_K.shape == (1,)
        values = read_table(cohort[1])["trait"][:23]
        assert (content["scale"], content["offset"]) == pytest.approx(
            (values.std(ddof=0), values.mean())
        )
    card = (encoder_file.parent / "README.md").read_text()
    assert f"fine tuned on: {content['phenotype']}" in card
    training = read_json(encoder_file.with_name("config.json"))["training"]
    assert training["pretraining"] == {"epochs": 0}
    assert training["fine_tuning"]["epochs"] <= 3


def test_time_series_of_another_kind_are_refused(
    cohort: Cohort, model: Path, tmp_path: Path, manifest: Manifest
) -> None:
    encoder = load_encoder(model)
    encoder.manifest = manifest.model_copy(update={"tr": 3.0})
    save(encoder, model.parent)
    with pytest.raises(UserError, match=r"does not fit the model: tr is 2\.0, expected 3\.0"):
        run(cohort, model, tmp_path, "classification")
