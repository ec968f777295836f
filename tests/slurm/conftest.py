"""A cluster for the session, and workspaces that are worked on through it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster, why_not
from tests.workspaces import (
    ROOT,
    Workspace,
    environment,
    finished,
    fresh,
    shared_folder,
    simulated,
    workspace,
)

__all__ = ["finished", "fresh", "shared_folder", "simulated", "workspace"]


class OnCluster(Workspace):
    """A workspace whose jobs are submitted with the profile, sped up for a queue of seconds."""

    def command(self, *arguments: str) -> list[str]:
        local = super().command(*arguments)
        del local[local.index("--cores") : local.index("--cores") + 2]
        local[local.index("--workflow-profile") + 1] = str(ROOT / "profiles/slurm")
        quick = ["--slurm-no-account"]
        quick += ["--slurm-status-command", "squeue", "--seconds-between-status-checks", "1"]
        quick += ["--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"]
        return [*local, *quick, "--cores", "2", "--resources", "mem_mb=19000"]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run and return at once."""
        with (self.folder / "run.log").open("a") as log:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=environment(),
                stdout=log,
                stderr=log,
                text=True,
            )


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Start Slurm for the tests; they are skipped where that cannot be."""
    reason = why_not()
    if reason:
        pytest.skip(f"no Slurm here: {reason}")
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
