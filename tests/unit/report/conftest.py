"""Results of two phenotypes, as the report reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import CardProbe, Config, Kind, Phenotype, Probe, Published, Report
from semantoks.report.boilerplate.methods import methods
from semantoks.report.figures.training import PANELS
from semantoks.report.page import Made, Page, render
from semantoks.report.settings import ReportSettings
from semantoks.report.stage import report
from semantoks.report.summary import page_summary
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.benchmark.stage import benchmark
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.card.stage import card
from tests.conftest import run_probe, run_represent, run_split, write_cohort

REPRESENTATIONS = ("fc", "confounds", "chance")
TASKS: dict[str, Kind] = {"group": "classification", "trait": "regression"}
COLUMNS = [column for lines in PANELS.values() for column in lines]
CONFIG = {
    "datasets": {"toy": {"path": "<script>alert(1)</script>", "phenotypes": TASKS}},
    "models": {"small": {"training": {"epochs": 5}}},
}
PUBLISHED = Published(model="<b>BrainLM</b>", value=0.538, source="arXiv 2512.11582")


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """Folder of time series, comparisons of two phenotypes, a card, and training metrics."""
    folder = tmp_path_factory.mktemp("results")
    paths, participants = write_cohort(folder, manifest)
    scans = (folder / "scans.parquet").rename(folder / "toy.parquet")
    for name in REPRESENTATIONS:
        run_represent(name, paths, participants, folder / f"{name}.parquet")
    for phenotype, kind in TASKS.items():
        splits = folder / f"split-{phenotype}.parquet"
        # So few that r of random splits is not computed.
        test_people = 5 if kind == "regression" else None
        published = [PUBLISHED] if kind == "classification" else []
        task = Phenotype(kind=kind, published=published, test_people=test_people)
        run_split(participants, scans, splits, name=phenotype, phenotype=task, site_column="town")
        scores = [folder / f"{phenotype}-{name}.parquet" for name in REPRESENTATIONS]
        settings = Probe(repeats=3, permutations=50, inner_folds=3)
        for name, score in zip(REPRESENTATIONS, scores, strict=True):
            run_probe([folder / f"{name}.parquet"], splits, name, settings, score)
        comparison = BenchmarkSettings(phenotype=task)
        benchmark(comparison, scores=scores, dataset="toy", out=folder / f"{phenotype}.json")
    (folder / "confounds").mkdir()
    (folder / "confounds.parquet").rename(folder / "confounds/toy.parquet")
    card_file = folder / "cards/toy/fc.json"
    card(
        CardSettings(probe=CardProbe(inner_folds=2), site_column="town"),
        features=folder / "fc.parquet",
        participants=participants,
        scans=scans,
        out=card_file,
    )
    metrics = pd.DataFrame({"epoch": range(1, 6)} | dict.fromkeys(COLUMNS, 0.5))
    write_table(folder / "small/metrics.parquet", metrics)
    return folder


def page_with(config: Config, settings: Report, **sections: Any) -> str:
    """Render a page with only the given sections."""
    tasks = sections.get("tasks", [])
    empty = {name: [] for name in ("tasks", "overlaps", "cards", "datasets", "models")}
    summary = page_summary(tasks, config, settings)
    page = Page(summary=summary, made=Made("", ""), methods=methods(config), **(empty | sections))
    return render(page, config, settings)


def write_page(
    folder: Path, settings: Report, name: str = "index.html", protocol: str = "exact"
) -> str:
    """Write the report of a folder like `results` and return its HTML."""
    out = folder / name
    config = CONFIG | {"probe": {"protocol": protocol}, "baselines": ["fc", "confounds"]}
    report(
        ReportSettings(report=settings, config=Config.model_validate(config)),
        benchmarks=[folder / f"{phenotype}.json" for phenotype in TASKS],
        scans=[folder / "toy.parquet"],
        metrics=[folder / "small/metrics.parquet"],
        cards=[folder / "cards/toy/fc.json"],
        confounds=list(folder.glob("confounds/*.parquet")),
        out=out,
    )
    return out.read_text()
