"""`kill -9` in the middle of each stage, then the same command again."""

from __future__ import annotations

import json
import signal
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


def start(workspace: Workspace, *arguments: str) -> subprocess.Popen[bytes]:
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        workspace.command(*arguments), cwd=workspace.folder, env=environment(), **silent
    )


def wait_for_stage(run: subprocess.Popen[bytes], stage: str) -> psutil.Process:
    """Wait until a stage is at work below a run."""
    while run.poll() is None:
        for process in psutil.Process(run.pid).children(recursive=True):
            if stage_of(process) == stage:
                return process
        time.sleep(0.02)
    pytest.fail(f"the run ended (status {run.returncode}) before {stage} was seen")


def kill_during(workspace: Workspace, stage: str) -> None:
    """Start the workflow and kill every process of it shortly after `stage` has begun."""
    rule = stage.replace("-", "_")
    # The same command each time, unless the stage was already done beside an earlier one.
    again = () if rule in workspace.planned() else ("--forcerun", rule)
    run = start(workspace, *again)
    wait_for_stage(run, stage)
    time.sleep(0.5)  # in the middle: imports take about as long
    kill_family(run.pid)
    run.wait()


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


def test_what_a_killed_run_has_left_at_work_is_ended(
    workspace: Workspace, finished: Workspace
) -> None:
    """The run alone is killed, as by the system when memory ends, and its stage lives on."""
    tiny = SMALL["models"]["tiny"]
    longer = tiny | {"training": tiny["training"] | {"epochs": 1000}, "cpu_threads": 2}
    workspace.configure(models={"tiny": longer})
    run = start(workspace)
    left = wait_for_stage(run, "pretrain")
    time.sleep(2)
    run.kill()
    run.wait()
    assert left.is_running()
    workspace.configure(models={"tiny": tiny})
    done = workspace.run()
    assert "processes that a killed run left in this folder" in done.stdout
    assert not left.is_running()
    same(workspace, finished)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_and_its_jobs_in_time(
    workspace: Workspace, finished: Workspace, number: signal.Signals
) -> None:
    """A batch system sends SIGTERM, and SIGKILL some seconds later."""
    tiny = SMALL["models"]["tiny"]
    workspace.configure(models={"tiny": tiny | {"training": tiny["training"] | {"epochs": 1000}}})
    run = start(workspace)
    job = wait_for_stage(run, "pretrain")
    time.sleep(2)
    run.send_signal(number)
    assert run.wait(25) != 0
    assert not job.is_running()
    workspace.configure(models={"tiny": tiny})
    assert "a killed run left" not in workspace.run().stdout
    same(workspace, finished)


def test_a_lock_outlives_no_number_of_a_process(workspace: Workspace, finished: Workspace) -> None:
    """The number of the killed run is another process's, as after a reboot."""
    run = start(workspace, "--forcerun", "pretrain")
    wait_for_stage(run, "pretrain")
    kill_family(run.pid)
    run.wait()
    note = workspace.folder / ".snakemake/semantoks_run.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"pid": 1}))
    workspace.run()
    same(workspace, finished)


def test_a_second_run_waits_for_nobody_with_nolock(workspace: Workspace) -> None:
    first = start(workspace, "--forcerun", "pretrain")
    wait_for_stage(first, "pretrain")
    second = workspace.run("--nolock", "--forcerun", "report", check=False)
    assert second.returncode != 0
    assert "another run has the lock of this folder" in second.stdout + second.stderr
    assert first.wait() == 0


def test_a_living_run_keeps_its_lock(workspace: Workspace) -> None:
    workspace.configure(models={})
    kill_nobody = start(workspace, "--forcerun", "parcellate")
    note = workspace.folder / ".snakemake/semantoks_run.json"
    while str(kill_nobody.pid) not in (note.read_text() if note.exists() else ""):
        assert kill_nobody.poll() is None, "the first run ended before it could be disturbed"
        time.sleep(0.02)
    second = workspace.run(check=False)
    assert second.returncode != 0
    assert "lock" in (second.stdout + second.stderr).lower()
    assert kill_nobody.wait() == 0
