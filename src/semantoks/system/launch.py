"""How pretraining is started: one process, several on one machine, or several nodes of Slurm."""

from __future__ import annotations

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
    """

    processes: int
    nodes: int
    cpu_threads: int

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
                f"srun --nodes {self.nodes} --ntasks {self.nodes} --ntasks-per-node 1"
                f" --cpus-per-task {self.cpus} torchrun"
                f" --nnodes {self.nodes} --nproc-per-node {self.processes} --rdzv-backend c10d"
                # The shell command runs on the first node of the job.
                " --rdzv-id $SLURM_JOB_ID --rdzv-endpoint $(hostname):29500"
            )
        if self.processes > 1:
            # --standalone picks a free port, so two trainings on one machine do not collide.
            return f"torchrun --standalone --nproc-per-node {self.processes}"
        return "python"

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
