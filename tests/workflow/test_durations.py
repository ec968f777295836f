"""Scores of the first seconds of scans become a curve, and re-run nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.scores.benchmark.comparison import Comparison
from tests.workflow.test_blocks import configure, write_biobank
from tests.workspaces import SMALL, Workspace

pytestmark = pytest.mark.slow

DATASET = {
    "source": "timeseries",
    "simulate": {"participants": 14, "two_sessions": 1, "seconds": 130},
    "phenotypes": {"group": "classification"},
}
CHANGES = {
    "datasets": {"small": DATASET},
    "baselines": ["fc", "tangent", "confounds"],
    "stacked": True,
}


def test_the_score_against_the_length_of_scans(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.configure(**CHANGES)
    workspace.run()
    page = tmp_path / "results/report/index.html"
    assert "Score and length of scans" not in page.read_text()
    workspace.configure(**CHANGES, probe=SMALL["probe"] | {"seconds": [60]})
    # The model, fc and tangent; the model stacked with fc is scored, too, and the better chosen.
    expected = {"embed": 1, "represent": 2, "probe": 4, "choose": 1, "benchmark": 1, "report": 1}
    assert workspace.planned() == expected
    workspace.run()
    assert workspace.planned() == {}

    results = tmp_path / "results"
    comparison = Comparison.model_validate(read_json(results / "benchmarks/small/group.json"))
    rows = {row.representation: row for row in comparison.schemes[0].representations}
    assert not any("@" in name for name in rows)
    assert comparison.durations.keys() == {"tiny", "tiny+fc", "best_connectivity", "fc", "tangent"}
    for name, (part, whole) in comparison.durations.items():
        assert (part.minutes, part.splits) == (1, 2)
        assert whole.minutes == pytest.approx(130 / 60, abs=0.05)
        assert whole.mean == pytest.approx(rows[name].metrics[comparison.metric].mean)
    scores = results / "scores/small/group/tangent@60s.parquet"
    assert read_metadata(scores)["p_permutation"] is None
    assert read_table(scores)[["scheme", "fraction"]].drop_duplicates().values.tolist() == [
        ["random", 1.0]
    ]
    text = " ".join(re.sub("<[^>]+>", " ", page.read_text()).split())
    assert "Score and length of scans" in text
    assert "first part 1.0 min whole scans 2.2 min" in text


def test_blocks_of_a_task_have_no_curve(tmp_path: Path) -> None:
    write_biobank(tmp_path)
    workspace = configure(tmp_path)
    plan = workspace.planned()
    file = tmp_path / "mine.yaml"
    content = yaml.safe_load(file.read_text())
    content["probe"]["seconds"] = [60]
    file.write_text(yaml.safe_dump(content))
    assert workspace.planned() == plan
