"""Run a program that is terminated when the process that started it dies, even by SIGKILL.

A process that is killed cannot clean up after itself. So a supervisor, forked from this process,
starts the program, waits for it, and watches this process from outside. When this process is gone,
the supervisor terminates the program's process group and its docker containers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from pathlib import Path

GRACE = 10.0  # seconds between SIGTERM and SIGKILL


def run_supervised(command: Sequence[str], log_file: Path, mount: Path | None = None) -> int:
    """Run a program under a supervisor and wait for it.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    log_file : Path
        File to which the program's output is appended.
    mount : Path, optional
        Folder that is mounted by the docker containers of this program and by no others. It
        identifies them: containers are children of the docker daemon, not of the program.

    Returns
    -------
    int
        Exit status, 128 + signal number if the program was ended by a signal.
    """
    if mount is not None:
        kill_containers(mount)  # left by an earlier run whose supervisor was killed too
    context = get_context("fork")
    # daemon=True: multiprocessing sends SIGTERM to it when this process exits normally.
    supervisor = context.Process(target=_supervise, args=(command, log_file, mount), daemon=True)
    supervisor.start()
    supervisor.join()
    return int(supervisor.exitcode if supervisor.exitcode is not None else 1)


def _supervise(command: Sequence[str], log_file: Path, mount: Path | None) -> None:
    """Run the program in the supervisor process, and exit with its status."""
    # In a session of its own Ctrl-C reaches only the parent, whose end is then noticed.
    os.setsid()
    program = _start(command, log_file)
    terminating = threading.Event()

    def terminate(*_: object) -> None:
        terminating.set()
        _terminate_group(program)
        if mount is not None:
            kill_containers(mount)
        # Called from the watcher's thread, `sys.exit` would end that thread only.
        os._exit(1)

    def terminate_with_parent() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            terminate()

    signal.signal(signal.SIGTERM, terminate)
    watcher = threading.Thread(target=terminate_with_parent, daemon=True)
    watcher.start()
    status = program.wait()
    if terminating.is_set():
        watcher.join()  # the program has ended, but its container may still be running
    os._exit(status if status >= 0 else 128 - status)


def _start(command: Sequence[str], log_file: Path) -> subprocess.Popen[bytes]:
    with log_file.open("ab") as stream:
        return subprocess.Popen(
            command,
            # fmriprep-docker asks questions, which nobody would answer.
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            # A process group of its own, so that fMRIPrep's workers are terminated with it.
            process_group=0,
        )


def _terminate_group(program: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM to the program's process group, and SIGKILL if it is alive after `GRACE`."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(program.pid, number)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            program.poll()  # reap the program: as a zombie it would count as alive
            try:
                os.killpg(program.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)


def kill_containers(mount: Path) -> None:
    """Kill the docker containers that mount a folder."""
    # docker's filter matches the host path of a bind mount like the name of a volume.
    listing = ["docker", "ps", "--quiet", "--filter", f"volume={mount}"]
    answer = subprocess.run(listing, capture_output=True, text=True, check=False)
    if containers := answer.stdout.split():
        subprocess.run(["docker", "kill", *containers], capture_output=True, check=False)
