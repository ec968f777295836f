"""The files of the row that takes the best connectivity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import Phenotype, Probe
from semantoks.errors import UserError
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.benchmark.stage import benchmark
from semantoks.scores.choose.settings import ChooseSettings
from semantoks.scores.choose.stage import choose
from tests.conftest import run_probe, run_represent, run_split, write_cohort

NAMES = ("fc", "fc_gsr", "tangent")
EXACT = Probe(repeats=3, permutations=120, inner_folds=2, learning_curve=[0.7])


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> list[Path]:
    """Scores of three kinds of connectivity for two groups, on random splits and left-out sites."""
    folder = tmp_path_factory.mktemp("scores")
    paths, participants = write_cohort(folder, manifest)
    splits, task = folder / "splits", Phenotype(kind="classification")
    scans = folder / "scans.parquet"
    run_split(participants, scans, splits, name="group", phenotype=task, site_column="town")
    for name in NAMES:
        features = folder / f"features-{name}.parquet"
        run_represent(name, paths, participants, features)
        run_probe([features], splits, name, EXACT, folder / f"{name}.parquet")
    return [folder / f"{name}.parquet" for name in NAMES]


def test_the_row_reads_like_any_other(scored: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "best_connectivity.parquet"
    files = choose(ChooseSettings(), scores=scored, representation="best_connectivity", out=out)
    assert [path.name for path in files] == [
        "best_connectivity.parquet",
        "best_connectivity_predictions.parquet",
        "best_connectivity_shuffles.parquet",
    ]
    assert len(read_table(files[2])) == 3
    rows, tables = read_table(out), [read_table(path) for path in scored]
    assert rows["fraction"].tolist() == [0.7, 1.0] * 3 + [1.0] * 2
    losses = np.stack([table["inner_loss"] for table in tables])
    assert rows["chosen"].tolist() == [NAMES[best] for best in losses.argmin(axis=0)]
    assert rows["inner_loss"].tolist() == losses.min(axis=0).tolist()
    metadata = read_metadata(out)
    assert metadata["features"] == max(read_metadata(path)["features"] for path in scored)
    assert metadata["p_permutation"] < 0.05 and len(metadata["shuffled"]) == 120
    comparison = tmp_path / "group.json"
    benchmark(BenchmarkSettings(), scores=[out, *scored], dataset="toy", out=comparison)
    content = read_json(comparison)
    assert content["baseline"] == "best_connectivity" and "best_connectivity" in content["curves"]
    random, site = content["schemes"]
    best, fc = random["representations"][:2]
    assert sum(best["chosen"].values()) == 3
    assert sum(site["representations"][0]["chosen"].values()) == 2
    assert fc["difference_from_baseline"]["baseline"] == "best_connectivity"


def test_without_permutations_there_is_no_p(scored: list[Path], tmp_path: Path) -> None:
    splits, settings = scored[0].parent / "splits", EXACT.model_copy(update={"permutations": 0})
    for name in NAMES:
        features = scored[0].parent / f"features-{name}.parquet"
        run_probe([features], splits, name, settings, tmp_path / f"{name}.parquet")
    out, scores = tmp_path / "best.parquet", [tmp_path / f"{name}.parquet" for name in NAMES]
    choose(ChooseSettings(), scores=scores, representation="best", out=out)
    assert read_metadata(out)["p_permutation"] is read_metadata(out)["shuffled"] is None


def test_rows_by_the_papers_head_are_refused(scored: list[Path], tmp_path: Path) -> None:
    splits, paper = scored[0].parent / "splits", tmp_path / "fc.parquet"
    settings = EXACT.model_copy(update={"protocol": "paper"})
    run_probe([scored[0].parent / "features-fc.parquet"], splits, "fc", settings, paper)
    with pytest.raises(UserError, match="fc is scored by the paper's head, which has no inner"):
        choose(ChooseSettings(), scores=[paper, scored[1]], representation="b", out=tmp_path / "b")
