"""What is left to do, as Snakemake plans it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from semantoks.commands.dry_run import run_in_progress, summary_of
from semantoks.commands.to_do import to_do_lines
from semantoks.system.run_folder import RunFolder

# What Snakemake 9 prints in a dry run with the profile of the workflow.
STATS = """Job stats:
job           count
----------  -------
parcellate        6
report            1
all               1
total             8
"""
DRY_RUN = f"""Building DAG of jobs...
{STATS}
{STATS}
Reasons:
    (check individual jobs above for details)
    input files updated by another job:
        all, parcellate, report
    params have changed since last execution:
        parcellate
Some jobs were triggered by provenance information, see 'reason' section above.
"""


def test_steps_and_their_reasons() -> None:
    assert list(summary_of(DRY_RUN.splitlines(), "mine.yaml")) == [
        "to do for mine.yaml: 7 steps (6 parcellate, 1 report); `semantoks run` does them",
        "  settings changed: parcellate",
        "  their input is made again: report",
    ]


def test_a_run_in_progress_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(run_in_progress()) == []
    Path(".snakemake").mkdir()
    RunFolder(tmp_path).write_note("0123456789abcdef")
    (line,) = run_in_progress()
    assert line.startswith(f"in progress: a run in this folder (process {os.getpid()}),")


def test_rules_of_data_sets_with_dashes_are_counted() -> None:
    lines = DRY_RUN.replace("parcellate        6", "probe_my-data     6").splitlines()
    assert next(iter(summary_of(lines, "mine.yaml"))).startswith(
        "to do for mine.yaml: 7 steps (6 probe_my-data, 1 report)"
    )


def test_nothing_is_left() -> None:
    lines = ["Building DAG of jobs...", "Nothing to be done."]
    assert list(summary_of(lines, "mine.yaml")) == [
        "to do: nothing, the results are those of mine.yaml"
    ]


def test_what_snakemake_cannot_plan_is_said(tmp_path: Path) -> None:
    (line,) = to_do_lines(tmp_path / "missing.yaml")
    assert line.startswith("to do: not known, because Snakemake cannot plan.")
    assert "missing.yaml" in line
