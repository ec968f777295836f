"""A full or read-only disk gives a clear error, and the same results once it is fixed."""

from __future__ import annotations

import shutil

import pytest

from tests.faults.conftest import Disk
from tests.workspaces import Workspace, same

pytestmark = [pytest.mark.slow, pytest.mark.faults]

STAGES = ("index", "preprocess", "parcellate", "scans", "pretrain", "embed", "represent")
STAGES += ("split", "probe", "card", "benchmark", "report")


def on_disk(workspace: Workspace, disk: Disk) -> Workspace:
    """Move the results of a workspace to the disk."""
    results = workspace.folder / "results"
    if results.exists():
        shutil.copytree(results, disk.folder / "results", symlinks=True)
        shutil.rmtree(results)
    (disk.folder / "results").mkdir(exist_ok=True)
    results.symlink_to(disk.folder / "results")
    return workspace


def test_full_disk_in_every_stage(workspace: Workspace, disk: Disk, finished: Workspace) -> None:
    on_disk(workspace, disk)
    for stage in STAGES:
        disk.fill()
        done = workspace.run("--forcerun", stage, "--until", stage, check=False)
        output = done.stdout + done.stderr
        assert done.returncode != 0, stage
        full = "the disk is full" in output or "No space left" in output
        assert full, f"{stage}: {output[-2000:]}"
        assert "Traceback" not in output, f"{stage}: {output[-3000:]}"
        disk.empty()
    workspace.run()
    same(workspace, finished)
    assert not list(disk.folder.rglob("*.part"))


def test_read_only_results(workspace: Workspace, disk: Disk, finished: Workspace) -> None:
    on_disk(workspace, disk)
    disk.remount(writable=False)
    done = workspace.run("--forcerun", "represent", check=False)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "read-only" in output.lower() and "Traceback" not in output, output[-3000:]
    disk.remount(writable=True)
    workspace.run()
    same(workspace, finished)
