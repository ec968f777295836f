"""Starting ranks: they end together, and nobody else can speak to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

PRINT = """
import os, stat
from pathlib import Path
store = Path(os.environ["SEMANTOKS_RANKS_FILE"])
mode = stat.S_IMODE(store.parent.stat().st_mode)
names = "RANK", "LOCAL_RANK", "WORLD_SIZE", "GLOO_SOCKET_IFNAME"
os.write(1, (" ".join([*(os.environ[name] for name in names), oct(mode)]) + "\\n").encode())
"""
# Rank 0 fails, and the others would wait for it forever.
FAIL = "import os, sys, time; sys.exit(7) if os.environ['RANK'] == '0' else time.sleep(60)"
COLLECTIVE = """
import sys
from pathlib import Path
import torch
import torch.distributed as dist
from semantoks.system.distributed import process_group, sum_over_processes
with process_group("cpu") as (process, _):
    total = sum_over_processes(torch.ones(1))
    Path(sys.argv[1], str(process.rank)).touch()
    while not Path(sys.argv[1], "go").exists():
        pass
    assert sum_over_processes(total).item() == 4
"""


THREADS = """
import os
from semantoks.system.distributed import threads_of_process
os.write(1, f"{os.environ['RANK']} {threads_of_process(7)}\\n".encode())
"""


def start(processes: int, *arguments: str, options: Sequence[str] = ()) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "semantoks.system.ranks", *options, str(processes), "1"]
    return subprocess.Popen(
        [*command, *arguments],
        env=os.environ | {"PYTHONPATH": str(Path("src").resolve()), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_ranks_share_a_file_in_a_private_folder() -> None:
    printed, _ = start(3, "-c", PRINT).communicate(timeout=60)
    assert sorted(printed.splitlines()) == [f"{n} {n} 3 lo 0o700" for n in range(3)]


def test_ranks_share_the_threads_of_a_job_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    printed, _ = start(1, "-c", THREADS, options=["--on-cpu", "3"]).communicate(timeout=60)
    assert sorted(printed.splitlines()) == ["0 2", "1 2", "2 2"]


def test_all_ranks_end_when_one_fails() -> None:
    started = time.monotonic()
    assert start(3, "-c", FAIL).wait(60) == 7
    assert time.monotonic() - started < 50


def test_ranks_end_with_their_launcher() -> None:
    wait = "import sys, time; sys.stdout.write('ready\\n'); sys.stdout.flush(); time.sleep(60)"
    launcher = start(2, "-c", wait)
    assert launcher.stdout is not None
    assert [launcher.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
    ranks = psutil.Process(launcher.pid).children()
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(30) == 128 + signal.SIGTERM
    assert len(ranks) == 2 and not any(rank.is_running() for rank in ranks)


@pytest.mark.slow
def test_ranks_listen_on_the_loopback_only(tmp_path: Path) -> None:
    """Nobody can reach them from another machine, and there is no rendezvous to speak to."""
    launcher = start(2, "-c", COLLECTIVE, str(tmp_path))
    while len(list(tmp_path.iterdir())) < 2:
        assert launcher.poll() is None
        time.sleep(0.1)
    ranks = psutil.Process(launcher.pid).children()
    connections = [item for rank in ranks for item in rank.net_connections()]
    (tmp_path / "go").touch()
    assert launcher.wait(60) == 0
    assert {item.laddr.ip for item in connections} <= {"127.0.0.1", "::1"}
