"""The section on the importance of networks."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semantoks.artifacts.files import read_json
from semantoks.config import Config, Report
from semantoks.report.importance import connectomes, importance_sections
from semantoks.report.rounding import rounded_comparison
from semantoks.report.settings import ReportSettings
from semantoks.report.stage import report
from semantoks.report.steps import Steps, in_steps
from semantoks.scores.benchmark.comparison import Comparison
from tests.unit.report.conftest import CONFIG

PNG = b"\x89PNG\r\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Losses of three networks and two pairs, and a map of them."""
    path = tmp_path / "toy/group/fc.tsv"
    path.parent.mkdir(parents=True)
    values = {"left_out_loss": 0.123456, "left_out_low": 0.01234, "left_out_high": 0.23456}
    values |= {"left_out_p": 0.004, "shuffled_loss": 0.2, "shuffled_low": np.nan}
    values |= {"shuffled_high": np.nan, "shuffled_p": np.nan}
    common = {"scheme": "random", "metric": "auroc", "score": 0.81234} | values
    names = [("A", ""), ("<b>", ""), ("C", ""), ("A", "A"), ("A", "C")]
    rows = [common | {"network": network, "other": other} for network, other in names]
    rows.append(rows[0] | {"scheme": "site", "network": "D"})
    pd.DataFrame(rows).to_csv(path, sep="\t", index=False, na_rep="n/a")
    maps = tmp_path / "maps/toy"
    (maps / "group").mkdir(parents=True)
    (maps / "group/fc.png").write_bytes(PNG)
    (maps / "connectome.png").write_bytes(PNG)
    return path, maps


def test_sections(files: tuple[Path, Path], results: Path) -> None:
    path, maps = files
    comparison = Comparison.model_validate(read_json(results / "group.json"))
    (section,) = importance_sections([path], [maps], [comparison], Report(participants=True))
    (row,) = section.rows
    assert (section.dataset, section.phenotype, section.metric) == ("toy", "group", "auroc")
    assert [loss.label for loss in row.networks] == ["A", "<b>", "C"]
    assert [loss.label for loss in row.pairs] == ["within A", "A – C"]
    assert row.networks[0].left_out.mean == 0.123456 and row.score == 0.81234
    assert row.map.startswith("data:image/png;base64,") and connectomes([maps]).keys() == {"toy"}
    assert importance_sections([], [], [comparison], Report()) == []


def test_losses_have_the_steps_of_scores(files: tuple[Path, Path], results: Path) -> None:
    """Exact ones would tell how many participants were tested."""
    comparison = Comparison.model_validate(read_json(results / "group.json"))
    rounded = rounded_comparison(comparison)
    (section,) = importance_sections([files[0]], [], [rounded], Report())
    loss = section.rows[0].networks[0].left_out
    # 24 people, of whom 5 are in each of 3 test parts: their AUROC has steps of 1/6.
    step = Steps.of_scheme(rounded.schemes[0], rounded.people).share
    assert step > 0.01
    assert loss.mean == in_steps(0.123456, step) != 0.123456
    assert loss.low == in_steps(0.01234, step)
    assert section.rows[0].map == ""


def test_the_page(files: tuple[Path, Path], results: Path) -> None:
    path, maps = files
    out = path.with_name("index.html")
    report(
        ReportSettings(config=Config.model_validate(CONFIG | {"importance": True})),
        benchmarks=[results / "group.json"],
        scans=[results / "toy.parquet"],
        metrics=[],
        cards=[],
        importance=[path],
        maps=[maps],
        out=out,
    )
    page = out.read_text()
    text = " ".join(re.sub("<[^>]+>", " ", page).split())
    assert "Importance of networks" in text and "within A" in text
    assert "&lt;b&gt;" in page and "<td><b>" not in page
    assert page.count("data:image/png;base64,") == 2
    assert "Mean connectome of toy" in text
