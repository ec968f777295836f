"""Simulated scans and short trainings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semantoks.config import Pretraining, Training
from semantoks.model.pretrain import loop
from tests.unit.model.conftest import SIZES

NETWORKS = ("a",) * 4 + ("b",) * 3 + ("c",) * 5


@pytest.fixture(autouse=True)
def single_thread() -> None:
    torch.set_num_threads(1)


def make_settings(**training: Any) -> Pretraining:
    """Settings of three epochs with two steps for ten scans."""
    chosen = {"epochs": 3, "batch_size": 4, "warmup_epochs": 1, "learning_rate": 0.03} | training
    return Pretraining(architecture=SIZES, training=Training(**chosen))


def make_scans(count: int = 10, volumes: int = 45) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    scans = []
    for _ in range(count):
        sources = rng.normal(size=(4, volumes)).cumsum(1)
        x_CT = rng.normal(size=(12, 4)) @ sources + rng.normal(size=(12, volumes))
        z_CT = (x_CT - x_CT.mean(1, keepdims=True)) / x_CT.std(1, keepdims=True)
        scans.append(z_CT.astype(np.float32))
    return scans


def read_outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def kill_after(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt the training before its next step once `steps` are done."""
    done = 0
    original = loop.train_step

    def counted(*arguments: Any) -> None:
        nonlocal done
        if done == steps:
            raise KeyboardInterrupt
        done += 1
        original(*arguments)

    monkeypatch.setattr(loop, "train_step", counted)
