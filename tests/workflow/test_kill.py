"""`kill -9` in the middle of each stage, then the same command again."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.workspaces import SIMULATION, SMALL, Workspace, environment, kill_family, same

pytestmark = pytest.mark.slow

STAGES = (
    "simulate",
    "get-atlas",
    "index",
    "preprocess",
    "parcellate",
    "scans",
    "pretrain",
    "embed",
    "represent",
    "split",
    "probe",
    "benchmark",
    "report",
)


def stage_of(process: psutil.Process) -> str:
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    return words[3] if words[1:3] == ["-m", "semantoks"] else ""


def kill_during(workspace: Workspace, stage: str) -> None:
    """Start the workflow and kill every process of it shortly after `stage` has begun."""
    rule = stage.replace("-", "_")
    # The same command each time, unless the stage was already done beside an earlier one.
    again = () if rule in workspace.planned() else ("--forcerun", rule)
    started = subprocess.Popen(
        workspace.command(*again),
        cwd=workspace.folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    root = psutil.Process(started.pid)
    while started.poll() is None:
        family = root.children(recursive=True)
        if any(stage_of(process) == stage for process in family):
            time.sleep(0.5)  # in the middle: imports take about as long
            kill_family(started.pid)
            started.wait()
            return
        time.sleep(0.02)
    pytest.fail(f"the run ended (status {started.returncode}) before {stage} was seen")


def test_killed_in_every_stage_it_ends_with_the_same_results(
    finished: Workspace, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    dataset = {k: v for k, v in SMALL["datasets"]["small"].items() if k != "path"}
    workspace.configure(datasets={"small": dataset | {"simulate": SIMULATION}})
    for stage in STAGES:
        kill_during(workspace, stage)
    workspace.run()
    assert workspace.planned() == {}
    same(workspace, finished)


def test_a_living_run_keeps_its_lock(workspace: Workspace) -> None:
    workspace.configure(models={})
    kill_nobody = subprocess.Popen(
        workspace.command("--forcerun", "parcellate"),
        cwd=workspace.folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    note = workspace.folder / ".snakemake/semantoks_run.json"
    while str(kill_nobody.pid) not in (note.read_text() if note.exists() else ""):
        assert kill_nobody.poll() is None, "the first run ended before it could be disturbed"
        time.sleep(0.02)
    second = workspace.run(check=False)
    assert second.returncode != 0
    assert "lock" in (second.stdout + second.stderr).lower()
    assert kill_nobody.wait() == 0
