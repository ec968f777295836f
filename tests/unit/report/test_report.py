import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import read_json, write_json
from semantoks.artifacts.tables import write_table
from semantoks.artifacts.timeseries import Manifest
from semantoks.config import CardProbe, Config, Kind, Phenotype, Probe, Published, Report
from semantoks.report.figures import PANELS, motion_counts
from semantoks.report.settings import ReportSettings
from semantoks.report.stage import _dataset, report
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.benchmark.stage import benchmark
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.card.stage import card
from tests.conftest import run_probe, run_represent, run_split, write_cohort

NAMES = ("fc", "confounds", "chance")
TASKS: dict[str, Kind] = {"group": "classification", "trait": "regression"}
COLUMNS = [column for lines in PANELS.values() for column in lines]
CONFIG = {
    "datasets": {"toy": {"path": "<script>alert(1)</script>", "phenotypes": TASKS}},
    "models": {"small": {"training": {"epochs": 5}}},
}
PUBLISHED = Published(model="<b>BrainLM</b>", value=0.538, source="arXiv 2512.11582")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A folder of time series, benchmarks of two phenotypes, and training metrics."""
    folder = tmp_path_factory.mktemp("results")
    paths, participants = write_cohort(folder, manifest)
    scans = (folder / "scans.parquet").rename(folder / "toy.parquet")
    for name in NAMES:
        run_represent(name, paths, participants, folder / f"{name}.parquet")
    for phenotype, kind in TASKS.items():
        splits = folder / f"split-{phenotype}.parquet"
        task = Phenotype(kind=kind, published=[PUBLISHED] if kind == "classification" else [])
        run_split(participants, scans, splits, name=phenotype, phenotype=task, site_column="town")
        scores = [folder / f"{phenotype}-{name}.parquet" for name in NAMES]
        settings = Probe(repeats=3, permutations=50, inner_folds=3)
        for name, score in zip(NAMES, scores, strict=True):
            run_probe([folder / f"{name}.parquet"], splits, name, settings, score)
        chosen = BenchmarkSettings(phenotype=task)
        benchmark(chosen, scores=scores, dataset="toy", out=folder / f"{phenotype}.json")
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


def write(folder: Path, settings: Report, name: str = "index.html") -> str:
    out = folder / name
    report(
        ReportSettings(report=settings, config=Config.model_validate(CONFIG)),
        benchmarks=[folder / f"{phenotype}.json" for phenotype in TASKS],
        scans=[folder / "toy.parquet"],
        metrics=[folder / "small/metrics.parquet"],
        cards=[folder / "cards/toy/fc.json"],
        out=out,
    )
    return out.read_text()


def test_the_page_stands_alone_and_says_what_matters(results: Path) -> None:
    page = write(results, Report(participants=True))
    assert not re.search(r'(?:src|href)="(?!#)', page.replace("xlink:href", ""))
    # For each of two tasks random splits, sites left out and a learning curve; motion; training.
    assert page.count("<svg") == 8
    assert "One site left out" in page
    assert "Beside published scores" in page
    assert "pretrained on, by content" in page
    assert "worth" not in page  # no model is among the representations
    assert "23 scans of 23 people are used" in page
    assert "Scans excluded: 1." in page
    assert "sub-23_task-rest" in page
    assert "head motion: too much" in page
    assert "the bar" in page


def test_everything_from_outside_is_escaped(results: Path) -> None:
    page = write(results, Report())
    assert "<script>" not in page
    assert "<b>BrainLM" not in page


def test_nobody_is_named_and_no_small_group_counted_unless_the_user_says_so(results: Path) -> None:
    page, open_page = write(results, Report()), write(results, Report(participants=True))
    assert "sub-" not in page
    assert "head motion" in page
    assert "<td>head motion</td><td>of fewer than 5 people</td>" in page
    assert "Without scan: fewer than 5 people." in page
    assert "Without scan: 1 person." in open_page
    assert "fewer than" not in open_page
    assert "Numbers of people and scans are rounded to multiples of 5" in page
    assert "25 scans of 25 people are used" in page and "23 scans of 23 people" in open_page
    assert "Scans excluded: of fewer than 5 people." in page
    assert "Scans excluded: 1." in open_page


def test_no_small_group_follows_from_others(results: Path) -> None:
    """Nine and "fewer than 5" of 12 people would be three; a chance of 1/3 is three people."""
    task, few = read_json(results / "group.json"), read_json(results / "cards/toy/fc.json")
    folder = results / "few"
    write_json(folder / "group.json", task | {"people": 12, "classes": {"control": 9, "case": 3}})
    retested = {"people": 3, "identification": 1.0, "chance": 1 / 3, "icc": 0.5}
    write_json(folder / "cards/toy/fc.json", few | {"retest": retested})
    for name in ("trait.json", "toy.parquet", "small/metrics.parquet"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(results / name, folder / name)
    page, open_page = write(folder, Report()), write(folder, Report(participants=True))
    assert "10 people (case: fewer than 5, control: 10)." in page
    assert "found again" not in page
    assert "12 people (case: 3, control: 9)." in open_page
    assert "person found again" in open_page


def test_no_bar_of_head_motion_stands_for_few_people(results: Path) -> None:
    moved = pd.DataFrame({"mean_fd": np.r_[np.full(7, 0.2), np.full(6, 0.3), 9.0]})
    moved["participant_id"] = [*"abcdefg", *"aaaabb", "c"]
    counts, edges = motion_counts(moved, 0.5)
    assert counts.sum() == 14 and counts[-1] == 1 and edges[-1] == 1.0
    few_left_out, _ = motion_counts(moved, 0.5, smallest=5)
    assert few_left_out[few_left_out > 0].tolist() == [7]
    page = write(results, Report())
    assert "Bars of fewer than 5 people are left out" in page
    assert "Bars of fewer" not in write(results, Report(participants=True), "named.html")


def test_the_same_scores_give_the_same_page(results: Path) -> None:
    assert write(results, Report()) == write(results, Report(), "j.html")


@pytest.mark.parametrize(
    ("person", "reason", "kind"),
    [
        (
            "sub-{}",
            "sub-{}_bold.nii.gz cannot be read, it may be truncated",
            "a file cannot be read",
        ),
        ("5000{}", "Pitt_005000{}.npy is not a readable array", "a file is not a readable array"),
        ("5000{}", "ab/5000{} is no folder", "a file is no folder"),
        ("Jane {}", "Jane {}.npy is not a readable array (x)", "a file is not a readable array"),
        ("J{}", "J{}.1D is not a readable table (x)", "a file is not a readable table"),
        ("1{}", "fewer than 120 volumes, too few to filter", "fewer than 120 volumes"),
        ("sub-{}", "head motion: mean FD 0.{} mm", "head motion"),
    ],
)
def test_reasons_are_counted_without_names(person: str, reason: str, kind: str) -> None:
    scans = pd.DataFrame({"participant_id": [person.format(i) for i in "12"], "status": "excluded"})
    scans["reason"] = [reason.format(i) for i in "12"]
    scans = scans.assign(mean_fd=0.1, coverage=1.0, seconds=300.0, scan=scans["participant_id"])
    about = _dataset("toy", scans, 0.5, Report(participants=False))
    assert {name: len(table) for name, table in about["kinds"].items()} == {kind: 2}
