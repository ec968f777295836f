"""Work is shared, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semantoks.errors import UserError
from semantoks.system.workers import completed

ORPHANS = r"""
import os, time
from semantoks.system.workers import completed
def work(item):
    os.write(1, b"%d\n" % os.getpid())  # at once: two workers share the pipe
    time.sleep(60)
list(completed(work, [1, 2], 2))
"""


def square(x: int) -> int:
    return x * x


def end(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_all_results_come() -> None:
    assert sorted(completed(square, range(5), 2)) == [0, 1, 4, 9, 16]


def test_a_worker_that_the_system_ends_is_explained() -> None:
    with pytest.raises(UserError, match="memory ran out"):
        list(completed(end, [1], 1))


def test_workers_end_with_their_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
        until = time.monotonic() + 10
        while any(alive(pid) for pid in workers) and time.monotonic() < until:
            time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
