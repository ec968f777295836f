"""Only what a killed run left is ended: no stranger, no decoy, and never this process."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from semantoks.system.orphans import (
    TOKEN_VARIABLE,
    Note,
    cancel_slurm_jobs,
    end_processes_of,
    new_token,
)

TOKEN = "0123456789abcdef"
SLEEP = "import sys, time; print('ready', flush=True); time.sleep(60)"


def note(started: float, token: str = TOKEN) -> Note:
    return Note("here", 1, started, token)


def start(folder: Path, token: str, code: str = SLEEP) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {TOKEN_VARIABLE: token, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_only_processes_of_the_killed_run_are_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, elsewhere = tmp_path / "ours", tmp_path / "elsewhere"
    ours.mkdir(), elsewhere.mkdir()
    began = time.time()
    orphan = start(ours, TOKEN)
    others = [start(ours, new_token()), start(elsewhere, TOKEN)]
    # A variable that is set in the shell of the next run is inherited by that run itself.
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.chdir(ours)
    assert list(end_processes_of(note(began), ours)) == [
        "Ending 1 processes that a killed run left in this folder"
    ]
    assert orphan.poll() is not None
    assert [process.poll() for process in others] == [None, None]
    assert list(end_processes_of(note(began), ours)) == []
    for process in others:
        process.kill()
        process.wait()


def test_a_process_older_than_the_run_is_not_its_job(tmp_path: Path) -> None:
    decoy = start(tmp_path, TOKEN)
    assert list(end_processes_of(note(time.time() + 60), tmp_path)) == []
    assert decoy.poll() is None
    decoy.kill()
    decoy.wait()


def test_a_run_never_ends_itself_or_what_started_it(tmp_path: Path) -> None:
    """The whole family carries the token of the note, as if it was exported by a shell."""
    code = """
import subprocess, sys, time
from pathlib import Path
from semantoks.system.orphans import Note, end_processes_of
print("ready", flush=True)
if len(sys.argv) == 1:
    sys.exit(subprocess.run([sys.executable, __file__, "child"]).returncode)
assert list(end_processes_of(Note("here", 1, 0.0, "0123456789abcdef"), Path.cwd())) == []
"""
    (tmp_path / "family.py").write_text(code)
    run = f"exec(compile(open('family.py').read(), '{tmp_path}/family.py', 'exec'), "
    family = start(tmp_path, TOKEN, run + f"{{'__file__': '{tmp_path}/family.py'}})")
    assert family.wait(30) == 0


def test_slurm_jobs_are_cancelled_by_the_name_of_their_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And only those of this folder: the queue shows everybody the names of jobs."""
    queue, programs = tmp_path / "queue", tmp_path / "bin"
    programs.mkdir()
    ours, other = (f"{digit * 8}-1111-2222-3333-444444444444" for digit in "ab")
    jobs = [(1, ours, tmp_path), (2, other, tmp_path), (3, ours, tmp_path), (4, ours, "/elsewhere")]
    queue.write_text("".join(f"{job} {name} {place}\n" for job, name, place in jobs))
    scripts = {
        # squeue -h -u UID --name NAME -o "%A %Z"
        "squeue": 'while read id name place; do [ "$name" = "$5" ] && echo $id $place; done'
        f" < {queue}; true",
        "scancel": f"echo $@ > {queue}.gone; : > {queue}",
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/bash\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    assert list(cancel_slurm_jobs(ours, tmp_path)) == [
        "Cancelling 2 Slurm jobs that a killed run left in the queue"
    ]
    assert Path(f"{queue}.gone").read_text() == "1 3\n"
    assert list(cancel_slurm_jobs(None, tmp_path)) == []


@pytest.mark.parametrize(
    "field",
    [
        {"slurm_name": "jupyter,bash"},
        {"slurm_name": "bash"},
        {"started": 10**400},
        {"started": math.inf},
        {"token": ""},
        {"pid": "1"},
    ],
)
def test_a_note_that_no_run_wrote_is_none(field: dict[str, Any]) -> None:
    values: dict[str, Any] = {"host": "here", "pid": 1, "started": 1.0, "token": TOKEN}
    Note(**values)
    with pytest.raises(ValueError, match="not a note"):
        Note(**(values | field))


def test_a_silent_controller_does_not_stop_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "squeue").write_text("#!/bin/sh\nexec sleep 60\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("semantoks.system.orphans.SLURM_CALL_SECONDS", 0.2)
    assert list(cancel_slurm_jobs("run-a", tmp_path)) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_jobs_end_with_the_run(tmp_path: Path, number: signal.Signals) -> None:
    code = """
import signal, subprocess, sys
from semantoks.system.orphans import end_jobs_on_signals
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # tests that were started by nohup ignore it
job = subprocess.Popen(["sleep", "60"])
end_jobs_on_signals()
try:
    print("ready", flush=True)
    job.wait()
    import time; time.sleep(60)
except KeyboardInterrupt:
    sys.exit(3)
"""
    run = start(tmp_path, TOKEN, code)
    (job,) = psutil.Process(run.pid).children()
    run.send_signal(number)
    assert run.wait(30) == 3
    assert not job.is_running()
