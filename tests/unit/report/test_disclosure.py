"""Attempts to compute exact numbers of participants from the page and its table of scores.

Two worlds that round to the same numbers must give the same bytes: then nothing in them, be it
text, a coordinate of a figure or the order of rows, can tell which of the two is behind the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import write_json
from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    OVER_TIME,
    connectivity_fingerprint,
    temporal_fingerprint,
)
from semantoks.artifacts.tables import write_table
from semantoks.config import Config, Published, Report
from semantoks.report.settings import ReportSettings
from semantoks.report.stage import report
from semantoks.scores.benchmark.comparison import (
    Comparison,
    CurvePoint,
    Difference,
    DurationPoint,
    Publication,
    Row,
    Summary,
)
from semantoks.scores.benchmark.comparison import SchemeResult as Scheme
from semantoks.scores.card.contents import Card, Leakage, Retest
from tests.conftest import toy_scan

Count = Callable[[int], int]
CONFIG = {
    "datasets": {"toy": {"path": "toy", "phenotypes": {"group": "classification"}}},
    "probe": {"protocol": "both"},
}
PUBLISHED = Published(model="BrainLM", value=0.6, source="arXiv 2512.11582")
SCORES = {"fc": 0.62, "model": 0.7, "chance": 0.5, "fc@paper": 0.6, "model@paper": 0.64}
# Numbers in the middle of those that are rounded alike; 3 stands for 1 to 4.
NAMES = (
    *("people", "case", "control", "train", "test", "without", "no_scan", "retest"),
    *("low", "middle", "high", "moved", "lost", "validation"),
)
MIDDLES = [3, 5, 10, 15, 25, 40, 100]


def neighbours(rng: np.random.Generator) -> Count:
    """Draw the exact number behind a rounded one."""

    def exact(middle: int) -> int:
        low, high = (1, 4) if middle == 3 else (middle - 2, middle + 2)
        return int(rng.integers(max(low, 5) if middle != 3 else low, high + 1))

    return exact


def summary(mean: float) -> Summary:
    return Summary(mean=mean, sd=0.0, low=mean - 0.1, high=mean + 0.1)


def difference(mean: float) -> Difference:
    return Difference(baseline="fc", mean=mean, low=mean - 0.1, high=mean + 0.1, p=0.02)


def duration_point(minutes: float, mean: float, exact: Count) -> DurationPoint:
    return DurationPoint(minutes=minutes, mean=mean, sd=exact(25) / 500, splits=10)


def comparison(middles: dict[str, int], exact: Count) -> Comparison:
    """Scores that are the same in all worlds, of numbers of participants that are not."""
    rows = [
        Row(
            representation=name,
            protocol="paper" if name.endswith("@paper") else "exact",
            features=3,
            people_without_features=exact(middles["without"]),
            metrics={"balanced_accuracy": summary(mean), "auroc": summary(mean)},
            difference_from_baseline=None if name.startswith("fc") else difference(mean - 0.62),
        )
        for name, mean in SCORES.items()
    ]
    train, test = exact(middles["train"]), exact(middles["test"])
    scheme = Scheme(
        scheme="random",
        splits=10,
        held_out=[],
        train_people=train,
        validation_people=exact(middles["validation"]),
        test_people=test,
        representations=rows,
    )
    sizes = [exact(middle) for middle in (3, 10, 25, 100)]
    curves = {
        name: [
            CurvePoint(train_people=size, mean=mean - 0.3 + place / 10, sd=0.0)
            for place, size in enumerate(sizes)
        ]
        for name, mean in SCORES.items()
        if not name.endswith("@paper")
    }
    worth = sizes[-1] / sizes[-2] * 0.999
    curves["model"][-1] = curves["model"][-1].model_copy(update={"worth": worth})
    return Comparison(
        dataset="toy",
        phenotype="group",
        kind="classification",
        bins=None,
        people=exact(middles["people"]),
        classes={"case": exact(middles["case"]), "control": exact(middles["control"])},
        left_out={"people_without_scan": exact(middles["no_scan"]), "people_without_value": 0},
        protocol="both",
        confounds="none",
        metric="balanced_accuracy",
        schemes=[scheme],
        baseline="fc",
        curves=curves,
        durations={"fc": [duration_point(1, 0.55, exact), duration_point(10, 0.625, exact)]},
        permutation={"fc": 0.01},
        publication=Publication(title="", data="", terms="", metric="auroc", published=[PUBLISHED]),
    )


def card(middles: dict[str, int], exact: Count) -> Card:
    retest = exact(middles["retest"])
    return Card(
        leakage=[
            Leakage(
                what="site",
                metric="balanced_accuracy",
                people=exact(middles["people"]),
                chance=0.5,
                **summary(0.6).model_dump(),
            )
        ],
        retest=Retest(people=retest, identification=1.0, chance=1 / retest, icc=0.5),
        people_without_features=exact(middles["without"]),
    )


def exact_parts(middles: list[int], exact: Count) -> list[int]:
    """Draw numbers whose sum, which the page shows too, is rounded as the sum of the middles."""
    while True:
        parts = [exact(middle) for middle in middles]
        if round(sum(parts) / 5) == round(sum(middles) / 5):
            return parts


def scans(middles: dict[str, int], exact: Count) -> pd.DataFrame:
    """Scans of three amounts of motion, and two kinds of excluded scans."""
    motion = 0.11, 0.21, 0.31
    reasons = "head motion: 0.9 mm, at most 0.5 allowed", "SECRET_bold.nii is missing"
    used = exact_parts([middles[name] for name in ("low", "middle", "high")], exact)
    excluded = exact_parts([middles[name] for name in ("moved", "lost")], exact)
    table = pd.DataFrame(
        {
            "status": ["ok"] * sum(used) + ["excluded"] * sum(excluded),
            "reason": [""] * sum(used) + list(np.repeat(reasons, excluded)),
            "mean_fd": [*np.repeat(motion, used), *[math.nan] * sum(excluded)],
            "seconds": [600.0] * sum(used) + [math.nan] * sum(excluded),
        }
    )
    table["scan"] = table["participant_id"] = [f"sub-SECRET{i:04d}" for i in range(len(table))]
    table["coverage"], table["repetition_time"] = 1.0, 2.0
    table["fingerprint"] = table["scan"]
    rng = np.random.default_rng(0)
    arrays = [toy_scan(rng, coherent=False) for _ in range(3)]
    for column, measure in (
        (CONNECTIVITY, connectivity_fingerprint),
        (OVER_TIME, temporal_fingerprint),
    ):
        values = [measure(array) for array in arrays]
        table[column] = [values[i % len(values)] for i in range(len(table))]
    return table


def write_world(folder: Path, middles: dict[str, int], exact: Count, shown: Report) -> Path:
    """Write a report on a world; the numbers behind it are drawn by `exact`."""
    folder.mkdir()
    write_json(folder / "group.json", comparison(middles, exact).model_dump(mode="json"))
    (folder / "toy").mkdir()
    write_json(folder / "toy/fc.json", card(middles, exact).model_dump(mode="json"))
    write_table(folder / "toy.parquet", scans(middles, exact))
    unmatched = [{"participant_id": f"SECRET{i}", "reason": "no scan"} for i in range(exact(10))]
    pd.DataFrame(unmatched).to_csv(folder / "toy/left_out.tsv", sep="\t", index=False)
    out = folder / "report"
    out.mkdir()
    report(
        ReportSettings(report=shown, config=Config.model_validate(CONFIG)),
        benchmarks=[folder / "group.json"],
        scans=[folder / "toy.parquet"],
        metrics=[],
        cards=[folder / "toy/fc.json"],
        left_out=[folder / "toy/left_out.tsv"],
        out=out / "index.html",
    )
    return out


def without_means(page: str) -> str:
    """Leave out the mean displacement: a measurement, not a count."""
    return re.sub(r"displacement [\d.]+ mm", "", page)


@pytest.mark.parametrize("seed", range(4))
def test_worlds_that_round_alike_give_the_same_page(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    middles = {name: int(rng.choice(MIDDLES)) for name in NAMES}
    outs = [
        write_world(tmp_path / str(world), middles, neighbours(rng), Report()) for world in range(2)
    ]
    for name in ("index.html", "scores.tsv"):
        first, second = (without_means((out / name).read_text()) for out in outs)
        assert first == second
        assert "SECRET" not in first
    page = (outs[0] / "index.html").read_text()
    assert "Comparison with published scores" in page
    assert re.search(r"Label efficiency relative to [^<]*model \d", page)
    assert "Score and length of scans" in page


def test_this_test_can_tell_worlds_apart(tmp_path: Path) -> None:
    middles, exact = dict.fromkeys(NAMES, 25), neighbours(np.random.default_rng(0))
    outs = [
        write_world(tmp_path / str(world), middles, exact, Report(participants=True))
        for world in range(2)
    ]
    first, second = ((out / "index.html").read_text() for out in outs)
    assert first != second


def test_the_interval_does_not_tell_the_ratio_of_test_and_training(tmp_path: Path) -> None:
    """mean ± t · SD · √(1 / splits + test / training) has one unknown too many without the SD."""
    middles, exact = dict.fromkeys(NAMES, 25), neighbours(np.random.default_rng(0))
    out = write_world(tmp_path / "world", middles, exact, Report())
    table = pd.read_csv(out / "scores.tsv", sep="\t", na_values="n/a")
    assert table["sd"].isna().all() and table["low"].notna().all()
    assert "<th>SD</th>" not in (out / "index.html").read_text()
    # Twenty-five test participants and ten splits: steps of 0.005, also in the figures.
    assert ((table["mean"] * 200).round(6) % 1 == 0).all()
