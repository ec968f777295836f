"""The overview of a folder of results."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from semantoks.artifacts.files import write_json
from semantoks.artifacts.timeseries import Manifest
from semantoks.commands.status import status
from semantoks.errors import UserError
from semantoks.scores.benchmark.compare import compare
from tests.conftest import write_cohort
from tests.unit.scores.benchmark.conftest import scores_of


def test_participants_without_features_stand_beside_the_score(tmp_path: Path) -> None:
    model = replace(scores_of("model", [0.5, 0.5]), people_without_features=2)
    comparison = compare([scores_of("fc", [0.6, 0.7]), model], "toy")
    write_json(tmp_path / "benchmarks/toy/group.json", comparison.model_dump())
    lines = list(status(tmp_path))
    assert "  fc    0.650 ± 0.071" in lines
    assert "  model 0.500 ± 0.000 (2 of 25 participants have no features)" in lines
    assert lines[-1].startswith("to do: not known without the configuration")


def test_results_that_the_configuration_does_not_name_are_set_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semantoks.commands.status.has_snakemake", lambda: False)
    results, config = tmp_path / "results", tmp_path / "mine.yaml"
    for phenotype in ("group", "age"):
        comparison = compare([scores_of("fc", [0.6, 0.7])], "toy")
        write_json(results / f"benchmarks/toy/{phenotype}.json", comparison.model_dump())
    for model in ("kept", "kept~low", "kept~old", "kept@10pct", "kept@30pct", "dropped"):
        write_json(results / f"models/{model}/config.json", {"training": {}})
    config.write_text(
        "datasets: {toy: {path: /data/toy, phenotypes: {group: classification}}}\n"
        "models: {kept: {datasets: [toy], scaling: [0.1, 1]}}\n"
        "variants: {low: {parcellation: {low_pass: 0.08}}}\n"
    )
    lines = list(status(results, config))
    shown = [line for line in lines if line.startswith("model ")]
    assert [line.partition(":")[0] for line in shown] == [
        "model kept", "model kept@10pct", "model kept~low",
    ]  # fmt: skip
    others = next(line for line in lines if line.startswith("not in "))
    assert others.endswith(
        "of earlier runs: model dropped, model kept@30pct, model kept~old, benchmark toy age"
    )


def test_only_time_series_of_the_atlas_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manifest: Manifest
) -> None:
    """Those of another atlas stay when `atlas` is changed."""
    monkeypatch.setattr("semantoks.commands.status.has_snakemake", lambda: False)
    results, config = tmp_path / "results", tmp_path / "mine.yaml"
    (results / "index/toy").mkdir(parents=True)
    (results / "index/toy/shard-0000.tsv").touch()
    paths, _ = write_cohort(tmp_path, manifest)
    old = results / "timeseries/toy/atlas-cc200_shard-0000_timeseries.parquet"
    old.parent.mkdir(parents=True)
    shutil.copy(paths[0], old)
    config.write_text("atlas: seitzman300\ndatasets: {toy: {path: /data/toy}}\n")
    assert "data set toy: 0 of 1 shards have time series" in list(status(results, config))
    config.write_text("atlas: cc200\ndatasets: {toy: {path: /data/toy, source: timeseries}}\n")
    assert any("toy: 1 of 1 shards" in line for line in status(results, config))


def test_a_configuration_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("datasets: [")
    with pytest.raises(UserError, match=r"mine\.yaml, line 1, column 12: no valid YAML"):
        list(status(tmp_path, config))
