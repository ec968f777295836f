"""Start the processes (ranks) that train a model together.

    python -m semantoks.system.ranks 4 1 -m semantoks pretrain …

starts four on this machine, of one machine in all; on several nodes, srun runs it once on each.
With `--on-cpu 2` there are two if the machine has no GPU, which share the CPU threads of one.
It stands in for torchrun, whose rendezvous listens on all interfaces of the machine and unpickles
what it receives. Here ranks of one machine find each other through a file in a private folder, and
those of several nodes through PyTorch's TCPStore, which holds bytes and unpickles nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

STORE_VARIABLE = "SEMANTOKS_RANKS_FILE"  # a file store; without it, MASTER_ADDR and MASTER_PORT
# Number of ranks that share the CPU threads of the job.
SHARING_VARIABLE = "SEMANTOKS_RANKS_SHARE_THREADS"
POLL_SECONDS = 0.2
TERMINATE_SECONDS = 10


def start(processes: int, nodes: int, arguments: Sequence[str]) -> int:
    """Run Python with `arguments` in each of `processes` ranks of this node, and wait for them.

    When one fails the others are ended, because they would wait for it forever.

    Returns
    -------
    int
        Exit status: 0, or that of the first rank that failed.
    """
    # SIGTERM must reach the ranks too: it raises SystemExit here, and `finally` ends them.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="semantoks-ranks-") as folder:  # its mode is 0700
        ranks = [
            subprocess.Popen(
                [sys.executable, *arguments],
                env=os.environ | _environment(local, processes, nodes, Path(folder, "store")),
            )
            for local in range(processes)
        ]
        try:
            return _wait(ranks)
        finally:
            _end(ranks)


def _environment(local: int, processes: int, nodes: int, store: Path) -> dict[str, str]:
    """Variables by which a rank knows its number and finds the others."""
    node = int(os.environ["SLURM_NODEID"]) if nodes > 1 else 0
    variables = {
        "RANK": str(node * processes + local),
        "LOCAL_RANK": str(local),
        "WORLD_SIZE": str(nodes * processes),
    }
    if nodes > 1:
        return variables
    # Tensors travel through sockets. Other machines have no business with these.
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    interfaces = dict.fromkeys(("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"), loopback)
    return variables | interfaces | {STORE_VARIABLE: str(store)}


def has_gpu() -> bool:
    """Ask PyTorch, in a process of its own: its memory is free again before the ranks start."""
    if version("torch").endswith("+cpu"):  # a build that cannot use one
        return False
    code = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _wait(ranks: Sequence[subprocess.Popen[bytes]]) -> int:
    while True:
        statuses = [rank.poll() for rank in ranks]
        failed = [status for status in statuses if status]
        if failed or None not in statuses:
            # A rank that was killed by signal n has the status −n; shells call it 128 + n.
            return 0 if not failed else failed[0] if failed[0] > 0 else 128 - failed[0]
        time.sleep(POLL_SECONDS)


def _end(ranks: Sequence[subprocess.Popen[bytes]]) -> None:
    for rank in ranks:
        rank.terminate()  # does nothing if it has ended
    for rank in ranks:
        with suppress(subprocess.TimeoutExpired):
            rank.wait(TERMINATE_SECONDS)
        rank.kill()
        rank.wait()


def main() -> int:
    """Parse the command line, start the ranks, and return their exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--on-cpu", type=int, default=1, metavar="N", help="ranks without a GPU")
    parser.add_argument("processes", type=int, help="ranks of this node")
    parser.add_argument("nodes", type=int)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="arguments of Python")
    chosen = parser.parse_args()
    if chosen.on_cpu > 1 and not has_gpu():
        os.environ[SHARING_VARIABLE] = str(chosen.on_cpu)
        return start(chosen.on_cpu, 1, chosen.arguments)
    return start(chosen.processes, chosen.nodes, chosen.arguments)


if __name__ == "__main__":
    sys.exit(main())
