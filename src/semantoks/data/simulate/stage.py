"""Simulate a data set with known phenotypes."""

from __future__ import annotations

from pathlib import Path

from semantoks.data.simulate.dataset import write_dataset
from semantoks.data.simulate.settings import SimulateSettings


def simulate(settings: SimulateSettings, *, truth: Path, out: Path, threads: int = 1) -> list[Path]:
    """Write a simulated data set and its ground truth.

    Parameters
    ----------
    settings : SimulateSettings
    truth : Path
        Folder for the ground truth.
    out : Path
        Table of participants; the data set is written into its folder.
    threads : int
        Number of processes; the result does not depend on it.

    Returns
    -------
    list of Path
        The table of participants.

    Raises
    ------
    UserError
        When the folder contains files that were not simulated.
    """
    images = settings.source == "bids"
    write_dataset(out.parent, truth, settings.simulate, threads, images=images)
    return [out]
