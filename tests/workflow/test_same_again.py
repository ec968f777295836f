"""The same configuration gives the same bytes, whatever the machine lends."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.workspaces import Workspace, environment

pytestmark = pytest.mark.slow


def test_cores_and_hash_seed_change_nothing(workspace: Workspace) -> None:
    """From the time series on, everything is made again on one core and with another seed."""
    before = workspace.results()
    assert any("scores" in name for name in before)
    for stage in ("models", "representations", "splits", "scores", "cards", "benchmarks"):
        shutil.rmtree(workspace.folder / "results" / stage)
    command = workspace.command()
    command[command.index("--cores") + 1] = "1"
    seeds = environment() | {"PYTHONHASHSEED": "7"}
    subprocess.run(command, cwd=workspace.folder, env=seeds, check=True, capture_output=True)
    after = workspace.results()
    assert after.keys() == before.keys()
    assert [name for name in before if before[name] != after[name]] == []
