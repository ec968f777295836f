"""Simulate a data set with known phenotypes."""

from __future__ import annotations

from pathlib import Path

from semantoks.data.simulate.dataset import write_dataset
from semantoks.data.simulate.settings import SimulateSettings


def simulate(settings: SimulateSettings, *, truth: Path, out: Path, threads: int = 1) -> list[Path]:
    """Write a data set around its table of participants, `out`, and the truth about it."""
    images = settings.source == "bids"
    write_dataset(out.parent, truth, settings.simulate, threads, images=images)
    return [out]
