"""The folder of a run: lock, orphans, clocks and missing tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semantoks.errors import UserError
from semantoks.system.run_folder import ENVIRONMENT_VARIABLE, RunFolder

HOLD = "from semantoks.system.run_folder import *; f = RunFolder(Path.cwd()); f.acquire()"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    return RunFolder(tmp_path)


def start(folder: RunFolder, code: str) -> subprocess.Popen[str]:
    """Start Python in the folder and wait until it has printed a line."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        ENVIRONMENT_VARIABLE: folder.identity,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}; print('ready', flush=True); import time; time.sleep(60)"],
        cwd=folder.path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_a_second_process_does_not_get_the_lock(folder: RunFolder) -> None:
    other = start(folder, HOLD)
    with pytest.raises(UserError, match="another run has the lock"):
        folder.acquire()
    other.kill()
    other.wait()
    assert folder.acquire()  # the system released it


def test_the_lock_can_be_taken_again_after_release(folder: RunFolder) -> None:
    assert folder.acquire()
    folder.release()
    other = start(folder, HOLD)
    other.kill()
    other.wait()


def test_the_lock_of_a_killed_run_is_removed(folder: RunFolder) -> None:
    lock = folder.path / ".snakemake/locks/0.input.lock"
    lock.touch()
    folder.write_note()
    folder.remove_stale_lock()
    assert lock.exists()  # this process is running
    note = folder.path / ".snakemake/semantoks_run.json"
    content = json.loads(note.read_text())
    note.write_text(json.dumps(content | {"host": "elsewhere", "pid": 2**22 + 1}))
    folder.remove_stale_lock()
    assert lock.exists()  # nothing is known about processes of another machine
    note.write_text(json.dumps(content | {"started": content["started"] - 1000}))
    folder.remove_stale_lock()
    assert not lock.exists()  # the pid belongs to another process by now


def test_orphans_are_ended_and_other_processes_are_not(folder: RunFolder, tmp_path: Path) -> None:
    stranger = RunFolder(tmp_path / ".snakemake")
    orphan, other = start(folder, "pass"), start(stranger, "pass")
    assert list(folder.end_orphans()) == [
        "Ending 1 processes that a killed run left in this folder"
    ]
    assert orphan.poll() is not None and other.poll() is None
    assert list(folder.end_orphans()) == []
    other.kill()
    other.wait()


def test_slurm_jobs_of_this_folder_are_cancelled(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = folder.path / "bin"
    programs.mkdir()
    queue = folder.path / "queue"
    queue.write_text(
        f"1|rule_probe|{folder.path}\n2|rule_probe|/elsewhere\n3|other|{folder.path}\n"
    )
    for name, script in {
        "squeue": f"cat {queue}",
        "scancel": f"echo $@ > {queue}.gone; : > {queue}",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    assert list(folder.end_orphans()) == [
        "Cancelling 1 Slurm jobs that a killed run left in the queue"
    ]
    assert Path(f"{queue}.gone").read_text() == "1\n"


def test_times_in_the_future_become_now(folder: RunFolder) -> None:
    results = folder.path / "results"
    (results / "shard").mkdir(parents=True)
    future, past = time.time() + 10_000, time.time() - 10_000
    times = {
        "new.parquet": future,
        "old.parquet": past,
        "shard/.snakemake_timestamp": future,
        "shard/inside": future,
    }
    for name, seconds in times.items():
        (results / name).touch()
        os.utime(results / name, (seconds, seconds))
    folder.clamp_future_mtimes()
    changed = {name for name in times if (results / name).stat().st_mtime != times[name]}
    assert changed == {"new.parquet", "shard/.snakemake_timestamp"}
    assert (results / "new.parquet").stat().st_mtime <= time.time()


def test_an_index_without_one_of_its_tables_is_dropped(folder: RunFolder) -> None:
    index = folder.path / "results/index/toy"
    index.mkdir(parents=True)
    scans = index / "scans.parquet"
    scans.touch()
    sidecar = {"settings": {"dataset": {"shards": 2}}}
    (index / "scans.parquet.provenance.json").write_text(json.dumps(sidecar))
    for number in range(2):
        (index / f"shard-{number:04d}.tsv").touch()
    folder.drop_incomplete_indices()
    assert scans.exists()
    (index / "shard-0001.tsv").unlink()
    folder.drop_incomplete_indices()
    assert not scans.exists()


def test_a_folder_that_is_not_writable(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.require_writable()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(UserError, match="--directory"):
        folder.require_writable()
