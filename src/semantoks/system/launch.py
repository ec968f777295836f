"""How pretraining is started: one process, several on one machine, or several nodes of Slurm."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Launch:
    """What Snakemake asks the scheduler for, and what starts Python.

    Parameters
    ----------
    processes : int
        Processes per node, each with a GPU of its own where there are GPUs.
    nodes : int
    cpu_threads : int
        CPU threads of each process.
    chunks : int
        Parts in which the views of a batch are drawn, which processes share.
    """

    processes: int
    nodes: int
    cpu_threads: int
    chunks: int

    @property
    def cpus(self) -> int:
        """CPUs per node."""
        return self.cpu_threads * self.processes

    @property
    def command(self) -> str:
        """What comes before ``-m semantoks pretrain``."""
        if self.nodes > 1:
            # srun does not inherit --cpus-per-task from the job, so every number is repeated.
            return (
                # The shell command runs on the first node of the job. A random port: two trainings
                # on one node do not collide, and a second attempt has another one.
                "MASTER_ADDR=$(hostname) MASTER_PORT=$((20000 + RANDOM % 10000))"
                f" srun --nodes {self.nodes} --ntasks {self.nodes} --ntasks-per-node 1"
                f" --cpus-per-task {self.cpus}"
                f" python -m semantoks.system.ranks {self.processes} {self.nodes}"
            )
        if self.processes > 1:
            return f"python -m semantoks.system.ranks {self.processes} 1"
        # Threads of one process wait for each other in every operation, processes once per step. So
        # processes are faster on a CPU, and much faster if other programs use the same cores.
        on_cpu = math.gcd(self.cpu_threads, self.chunks)
        return f"python -m semantoks.system.ranks --on-cpu {on_cpu} 1 1" if on_cpu > 1 else "python"

    def resource(self, name: str) -> int | str | None:
        """Value of a Snakemake resource; None where it must not be set.

        ``tasks``, ``gres`` and ``mpi`` are how Snakemake's Slurm executor is told about a job on
        several nodes.
        """
        several_nodes, several = self.nodes > 1, max(self.processes, self.nodes) > 1
        values: dict[str, int | str | None] = {
            "gpu": None if several_nodes else self.processes,
            "mpi": "srun" if several_nodes else None,
            # Also for one node: Slurm could otherwise spread the GPUs over several.
            "nodes": self.nodes if several else None,
            # `threads` is lowered by --cores, and srun would then ask for more than the job has.
            "cpus_per_task": self.cpus if several else None,
            "tasks": self.nodes if several_nodes else None,
            "tasks_per_gpu": 0 if several_nodes else None,
            "gres": f"gpu:{self.processes}" if several_nodes else None,
        }
        return values[name]
