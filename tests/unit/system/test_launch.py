"""How pretraining is launched."""

from __future__ import annotations

import pytest

from semantoks.system.launch import Launch

NAMES = ("gpu", "mpi", "nodes", "cpus_per_task", "tasks", "tasks_per_gpu", "gres")


def resources(launch: Launch) -> dict[str, object]:
    values = {name: launch.resource(name) for name in NAMES}
    return {name: value for name, value in values.items() if value is not None}


def test_one_process() -> None:
    launch = Launch(processes=1, nodes=1, cpu_threads=1, chunks=8)
    assert launch.command == "python"
    assert resources(launch) == {"gpu": 1}
    assert launch.cpus == 1


@pytest.mark.parametrize(
    ("threads", "chunks", "ranks"), [(4, 8, 4), (6, 8, 2), (64, 8, 8), (4, 2, 2)]
)
def test_threads_are_processes_on_a_cpu(threads: int, chunks: int, ranks: int) -> None:
    """As many as divide the threads and the chunks of a batch: they draw the same views."""
    launch = Launch(processes=1, nodes=1, cpu_threads=threads, chunks=chunks)
    assert launch.command == f"python -m semantoks.system.ranks --on-cpu {ranks} 1 1"
    assert resources(launch) == {"gpu": 1}
    assert launch.cpus == threads


def test_several_processes_stay_on_one_node() -> None:
    launch = Launch(processes=2, nodes=1, cpu_threads=4, chunks=8)
    assert launch.command == "python -m semantoks.system.ranks 2 1"
    assert resources(launch) == {"gpu": 2, "nodes": 1, "cpus_per_task": 8}


def test_several_nodes_are_started_by_srun() -> None:
    launch = Launch(processes=4, nodes=2, cpu_threads=3, chunks=8)
    assert launch.command == (
        "MASTER_ADDR=$(hostname) MASTER_PORT=$((20000 + RANDOM % 10000))"
        " srun --nodes 2 --ntasks 2 --ntasks-per-node 1 --cpus-per-task 12"
        " python -m semantoks.system.ranks 4 2"
    )
    assert resources(launch) == {
        "mpi": "srun",
        "nodes": 2,
        "cpus_per_task": 12,
        "tasks": 2,
        "tasks_per_gpu": 0,
        "gres": "gpu:4",
    }
