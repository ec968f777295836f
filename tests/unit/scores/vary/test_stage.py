"""The file that compares variants with the main analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_table
from semantoks.config import Phenotype, Probe
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.benchmark.stage import benchmark
from semantoks.scores.vary.contents import Varied
from semantoks.scores.vary.settings import VarySettings
from semantoks.scores.vary.stage import vary
from tests.conftest import run_probe, run_represent, run_split


def test_rows_of_a_variant_are_compared_and_shared_ones_are_not(
    cohort: tuple[list[Path], Path], tmp_path: Path
) -> None:
    paths, participants = cohort
    splits, task = tmp_path / "splits.parquet", Phenotype(kind="classification")
    run_split(participants, tmp_path / "scans.parquet", splits, name="group", phenotype=task)
    scores, benchmarks = dict[tuple[str, str], Path](), list[Path]()
    for dataset, folds in (("toy", 2), ("toy~folds", 3)):
        settings = Probe(repeats=3, permutations=100, inner_folds=folds, learning_curve=[])
        for name in ("fc", "confounds", "chance"):
            # In the variant, only connectivity has scores of its own.
            if dataset == "toy" or name == "fc":
                features = tmp_path / f"{name}.parquet"
                run_represent(name, paths, participants, features)
                scores[dataset, name] = tmp_path / f"scores/{dataset}/group/{name}.parquet"
                run_probe([features], splits, name, settings, scores[dataset, name])
        rows = [scores.get((dataset, name), scores["toy", name]) for name in ("fc", "confounds")]
        benchmarks.append(tmp_path / f"benchmarks/{dataset}/group.json")
        benchmark(
            BenchmarkSettings(phenotype=task), scores=rows, dataset=dataset, out=benchmarks[-1]
        )
    out = tmp_path / "variants/toy/group.json"
    files = vary(VarySettings(), benchmarks=benchmarks, scores=[*scores.values()], out=out)
    assert files == [out]
    content = Varied.model_validate(read_json(out))
    (variant,) = content.variants
    assert (content.main.dataset, variant.name, variant.tested) == ("toy", "folds", "same")
    (row,) = variant.differences
    means = [read_table(scores[d, "fc"])["balanced_accuracy"].mean() for d in ("toy", "toy~folds")]
    assert row.representation == "fc" and row.difference is not None
    assert row.difference.mean == pytest.approx(np.diff(means)[0])
