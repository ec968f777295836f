"""Shares of a batch, and collectives of two processes and of a single one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from semantoks.system.distributed import (
    Process,
    average_over_processes,
    process_group,
    sum_over_processes,
    world_size,
)

SCRIPT = """
import torch
from semantoks.system.distributed import average_over_processes, process_group, sum_over_processes

with process_group("cpu") as (process, _):
    part = torch.tensor([1.0 + process.rank], requires_grad=True)
    total = sum_over_processes(part)
    (total * (1 + process.rank)).sum().backward()
    average = torch.tensor([float(process.rank)])
    average_over_processes([average])
    assert total.item() == 1 + 2, total
    assert part.grad.item() == 1 + 2, part.grad  # the gradients of both processes
    assert average.item() == 0.5, average
"""


def test_shares_partition_a_batch() -> None:
    scan_B = torch.arange(6)
    shares = [Process(rank, 3).share(scan_B).tolist() for rank in range(3)]
    assert shares == [[0, 1], [2, 3], [4, 5]]


def test_single_process_is_first_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    tensor = torch.tensor([1.0, 2.0])
    with process_group("cpu") as (process, device):
        assert process.is_first and device == "cpu" and world_size() == 1
        assert sum_over_processes(tensor) is tensor
        average_over_processes([tensor])
    assert tensor.tolist() == [1, 2]


@pytest.mark.slow
def test_two_processes_sum_and_average(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    launcher = ["-m", "semantoks.system.ranks", "2", "1"]
    subprocess.run(
        [sys.executable, *launcher, str(tmp_path / "script.py")],
        env=os.environ | {"PYTHONPATH": str(Path("src").resolve()), "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=120,
    )
