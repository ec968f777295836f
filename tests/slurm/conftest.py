"""A cluster for the session, and workspaces whose jobs are submitted to it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster, missing_requirement
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
    """A workspace that uses the Slurm profile, with short intervals between status checks."""

    def command(self, *arguments: str) -> list[str]:
        local = super().command(*arguments)
        del local[local.index("--cores") : local.index("--cores") + 2]
        local[local.index("--workflow-profile") + 1] = str(ROOT / "profiles/slurm")
        quick = ["--slurm-no-account"]
        quick += ["--slurm-status-command", "squeue", "--seconds-between-status-checks", "1"]
        quick += ["--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"]
        return [*local, *quick, "--cores", "2", "--resources", "mem_mb=19000"]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run without waiting for its end."""
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
    """Start Slurm; the tests are skipped where that is not possible."""
    reason = missing_requirement()
    if reason:
        pytest.skip(f"no Slurm here: {reason}")
    cluster = Cluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
