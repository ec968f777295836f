"""The folder of a run: lock, note, clocks and missing tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from semantoks.errors import UserError
from semantoks.system.run_folder import RunFolder

TOKEN = "0123456789abcdef"
HOLD = "from semantoks.system.run_folder import *; f = RunFolder(Path.cwd()); f.acquire()"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    return RunFolder(tmp_path)


def start(folder: RunFolder, code: str) -> subprocess.Popen[str]:
    """Start Python in the folder and wait until it has printed a line."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}; print('ready', flush=True); import time; time.sleep(60)"],
        cwd=folder.path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def note_of_dead_run(folder: RunFolder) -> None:
    """Write the note of a run whose pid belongs to another process by now."""
    folder.write_note(TOKEN)
    note = folder.path / ".snakemake/semantoks_run.json"
    content = json.loads(note.read_text())
    note.write_text(json.dumps(content | {"started": content["started"] - 1000}))


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
    folder.write_note(TOKEN)
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


def test_a_run_in_progress_is_seen(folder: RunFolder) -> None:
    assert folder.running() is None
    folder.write_note(TOKEN)
    assert folder.running() == os.getpid()
    note_of_dead_run(folder)
    assert folder.running() is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"host": 1}', '{"pid": {}}', "[" * 100_000, "\xff"]
)
def test_an_unreadable_note_counts_as_none(folder: RunFolder, content: str) -> None:
    (folder.path / ".snakemake/semantoks_run.json").write_text(content, encoding="latin-1")
    lock = folder.path / ".snakemake/locks/0.input.lock"
    lock.touch()
    folder.remove_stale_lock()
    assert lock.exists()
    assert list(folder.end_orphans()) == []


def test_the_note_is_private_and_written_at_once(folder: RunFolder) -> None:
    folder.write_note(TOKEN)
    folder.write_note(TOKEN)
    (note,) = (folder.path / ".snakemake").glob("semantoks_run*")
    assert note.stat().st_mode & 0o777 == 0o600


def test_without_file_locks_no_lock_is_taken_away(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be that of a run on another host that has not written its note yet."""
    lock = folder.path / ".snakemake/locks/0.input.lock"
    lock.touch()
    note_of_dead_run(folder)
    monkeypatch.setattr(RunFolder, "acquire", lambda _: False)
    folder.remove_stale_lock()
    assert lock.exists()
    monkeypatch.undo()
    folder.remove_stale_lock()
    assert not lock.exists()


def test_the_lock_of_another_user_is_a_sentence(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.raises(UserError, match="not yours to write to.*--directory"):
        folder.acquire()


def test_a_note_that_is_no_file_of_ours_counts_as_none(folder: RunFolder) -> None:
    """It came with somebody's folder: a pipe would block, and a device never end."""
    note = folder.path / ".snakemake/semantoks_run.json"
    os.mkfifo(note)
    assert list(folder.end_orphans()) == []
    note.unlink()
    note.symlink_to("/dev/zero")
    assert list(folder.end_orphans()) == []


def test_links_that_came_with_the_folder_lose_nothing(folder: RunFolder, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    for name in ("a.lock", "scans.parquet"):
        (victim / name).touch()
    sidecar = {"settings": {"dataset": {"shards": 2}}}
    (victim / "scans.parquet.provenance.json").write_text(json.dumps(sidecar))
    (folder.path / ".snakemake/locks").rmdir()
    (folder.path / ".snakemake/locks").symlink_to(victim)
    (folder.path / "results/index").mkdir(parents=True)
    (folder.path / "results/index/toy").symlink_to(victim)
    note_of_dead_run(folder)
    folder.remove_stale_lock()
    folder.drop_incomplete_indices()
    assert (victim / "a.lock").exists() and (victim / "scans.parquet").exists()


def test_a_lock_that_leads_elsewhere_is_a_sentence(folder: RunFolder) -> None:
    (folder.path / ".snakemake/semantoks.lock").symlink_to(folder.path / "elsewhere")
    with pytest.raises(UserError, match="cannot be locked"):
        folder.acquire()


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
