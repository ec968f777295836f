"""What `status` and `why` say of a finished run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.workspaces import Workspace, environment

pytestmark = pytest.mark.slow


def semantoks(workspace: Workspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "semantoks", *arguments],
        cwd=workspace.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_status_counts_scans_models_and_scores(finished: Workspace) -> None:
    lines = semantoks(finished, "status").stdout.splitlines()
    assert lines[0] == ("data set small: 2 of 2 shards have time series; 13 scans used, 2 excluded")
    excluded = "data set small: 2 scan(s) excluded (results/scans/small_excluded.tsv):"
    assert lines[1] == excluded
    reasons = "\n".join(lines[2:4])
    assert "mean framewise displacement" in reasons and "may be truncated" in reasons
    assert lines[4] == "model tiny: trained for 4 epochs"
    assert lines[5] == "benchmark small group: left out 2 (no usable scan)"
    assert lines[6] == "benchmark small group (balanced_accuracy, 2 random splits):"
    # Splits of so few participants have no correlation.
    assert "  fc        n/a (the report gives the reason)" in lines
    scored = {line.split()[0] for line in lines[7:] if line.startswith("  ")}
    assert {"tiny", "fc", "confounds", "chance"} <= scored
    assert lines[-2] == "report: results/report/index.html"
    assert lines[-1].startswith("to do: not known")  # its configuration is called mine.yaml


def test_why_leads_from_the_report_to_the_raw_data(finished: Workspace) -> None:
    done = semantoks(finished, "why", "results/benchmarks/small/group.json")
    for word in ("benchmark,", "probe,", "embed,", "pretrain,", "parcellate,", "preprocess,"):
        assert word in done.stdout
    assert "data/small/bids/participants.tsv" in done.stdout


def test_a_missing_file_is_one_sentence(finished: Workspace) -> None:
    done = semantoks(finished, "why", "results/nothing.json")
    assert done.returncode == 1
    assert done.stderr == (
        "Error in why: results/nothing.json does not exist. Name a file below results/.\n"
    )


def test_the_faulty_scans_are_excluded_with_their_reasons(finished: Workspace) -> None:
    page = (finished.folder / "results/report/index.html").read_text()
    assert "head motion: mean framewise displacement" in page
    assert "may be truncated" in page
