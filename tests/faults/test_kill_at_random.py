"""SIGKILL at fifty random times during the full pipeline, then the same command again."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.workspaces import SIMULATION, SMALL, Workspace, environment, kill_family, same

pytestmark = [pytest.mark.slow, pytest.mark.faults]

KILLS = 50


def start_and_kill(workspace: Workspace, seconds: float) -> bool:
    """Start the workflow and kill all its processes after a time; False if it ended before."""
    run = subprocess.Popen(
        workspace.command(),
        cwd=workspace.folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        run.wait(seconds)
    except subprocess.TimeoutExpired:
        kill_family(run.pid)
        return True
    assert run.returncode == 0
    return False


def test_fifty_kills_give_the_same_results(finished: Workspace, tmp_path: Path) -> None:
    kills, seed = 0, 0
    while kills < KILLS:
        workspace = Workspace(tmp_path / str(seed))
        workspace.folder.mkdir()
        dataset = {k: v for k, v in SMALL["datasets"]["small"].items() if k != "path"}
        workspace.configure(datasets={"small": dataset | {"simulate": SIMULATION}})
        draw, began = random.Random(seed), time.monotonic()
        while kills < KILLS and start_and_kill(workspace, draw.uniform(2, 12)):
            kills += 1
            assert time.monotonic() - began < 900, "the workflow does not finish"
        workspace.run()
        assert workspace.planned() == {}
        same(workspace, finished)
        seed += 1
