"""A disk that is full or read-only: one sentence, and the same results once it is mended."""

from __future__ import annotations

import shutil

import pytest

from tests.faults.conftest import Disk
from tests.workspaces import Workspace, same

pytestmark = [pytest.mark.slow, pytest.mark.faults]

STAGES = ("index", "preprocess", "parcellate", "scans", "pretrain", "embed", "represent")
STAGES += ("split", "probe", "card", "benchmark", "report")


def on_disk(workspace: Workspace, disk: Disk) -> Workspace:
    """Let the results of a workspace lie on the disk."""
    results = workspace.folder / "results"
    if results.exists():
        shutil.copytree(results, disk.folder / "results", symlinks=True)
        shutil.rmtree(results)
    (disk.folder / "results").mkdir(exist_ok=True)
    results.symlink_to(disk.folder / "results")
    return workspace


def test_the_disk_is_full_in_every_stage(
    workspace: Workspace, disk: Disk, finished: Workspace
) -> None:
    on_disk(workspace, disk)
    for stage in STAGES:
        disk.fill()
        done = workspace.run("--forcerun", stage, "--until", stage, check=False)
        said = done.stdout + done.stderr
        assert done.returncode != 0, stage
        assert "the disk is full" in said or "No space left" in said, f"{stage}: {said[-2000:]}"
        assert "Traceback" not in said, f"{stage}: {said[-3000:]}"
        disk.empty()
    workspace.run()
    same(workspace, finished)
    assert not list(disk.folder.rglob("*.part"))


def test_results_are_read_only(workspace: Workspace, disk: Disk, finished: Workspace) -> None:
    on_disk(workspace, disk)
    disk.writable(False)
    done = workspace.run("--forcerun", "represent", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "read-only" in said.lower() and "Traceback" not in said, said[-3000:]
    disk.writable(True)
    workspace.run()
    same(workspace, finished)
