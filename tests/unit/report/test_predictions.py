from __future__ import annotations

import shutil
from pathlib import Path

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_table, write_table
from semantoks.config import Report
from semantoks.report.predictions import ScoreFiles
from semantoks.scores.benchmark.comparison import Comparison
from tests.unit.report.conftest import TASKS, write_page


def files_of(results: Path, folder: Path) -> ScoreFiles:
    """Lay out the scores of a representation as the workflow does."""
    scores, predictions = [], []
    for phenotype in TASKS:
        place = folder / f"toy/{phenotype}"
        place.mkdir(parents=True)
        for suffix, paths in (("", scores), ("_predictions", predictions)):
            paths.append(place / f"fc{suffix}.parquet")
            shutil.copy(results / f"{phenotype}-fc{suffix}.parquet", paths[-1])
    return ScoreFiles.of_paths(scores, predictions)


def test_predictions_and_sites_are_drawn_of_the_baseline(results: Path, tmp_path: Path) -> None:
    files = files_of(results, tmp_path)
    for phenotype, label in (("group", "ROC curves of"), ("trait", "Predicted against true")):
        comparison = Comparison.model_validate(read_json(results / f"{phenotype}.json"))
        figures = files.figures(comparison)
        assert figures.predictions is not None and f'aria-label="{label}' in figures.predictions
        if phenotype == "group":
            assert figures.sites is not None
            assert ">north<" in figures.sites and ">south<" in figures.sites


def test_the_positive_class_is_the_second_by_number(results: Path, tmp_path: Path) -> None:
    """By name, "50 and above" stands before "below 50"."""
    files = files_of(results, tmp_path)
    comparison = Comparison.model_validate(read_json(results / "group.json"))
    path = files.predictions["toy", "group", "fc"]
    table = read_table(path)
    names = dict(zip(sorted(comparison.classes or {}), ["below 50", "50 and above"], strict=True))
    write_table(path, table.assign(target=table["target"].map(names)))
    cut = comparison.model_copy(
        update={"edges": [50.0], "classes": dict.fromkeys(names.values(), 20)}
    )
    assert "finding “50 and above”" in str(files.figures(cut).predictions)


def test_nothing_of_single_people_is_drawn_without_leave(results: Path) -> None:
    page = write_page(results, Report())
    assert "ROC curves" not in page and "Scores by site" not in page
