"""Scans that are far from the others of their data set, and where their pictures are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import SOURCE
from semantoks.data.index.shards import shard_of

MOST = 12  # outliers that are listed
FAR = 4.0  # robust standard deviations
# Label, format, and whether large values are bad.
MEASURES = {
    "mean_fd": ("mean FD", "{:.2f} mm", True),
    "dvars": ("DVARS", "{:.2f} %", True),
    "censored": ("censored", "{:.0%}", True),
    "tsnr": ("tSNR", "{:.0f}", False),
    "coverage": ("coverage", "{:.1%}", False),
    "dice": ("Dice of the brain masks", "{:.2f}", False),
    "correlation": ("r of T1w and template", "{:.2f}", False),
}


@dataclass(frozen=True)
class Outlier:
    """An included scan with a measure that is far from those of the others."""

    scan: str
    measure: str
    value: str
    distance: float
    page: str


def outliers(dataset: str, scans: pd.DataFrame, shards: int) -> list[Outlier]:
    """List the scans that are more than `FAR` robust standard deviations worse than the median.

    Parameters
    ----------
    dataset : str
    scans : DataFrame
        Included scans.
    shards : int

    Returns
    -------
    list of Outlier
        Farthest first, at most `MOST`.
    """
    result = []
    for column, (label, text, is_large_bad) in MEASURES.items():
        if column not in scans:
            continue
        values = scans[column].to_numpy(float)
        distances = _distances(values) * (1 if is_large_bad else -1)
        for place in np.flatnonzero(distances > FAR):
            row, distance = scans.iloc[place].to_dict(), float(distances[place])
            page = page_of(dataset, row, shards)
            result.append(Outlier(row["scan"], label, text.format(values[place]), distance, page))
    return sorted(result, key=lambda item: -item.distance)[:MOST]


def _distances(values: np.ndarray) -> np.ndarray:
    """Distances from the median in units of the scaled median absolute deviation."""
    known = values[np.isfinite(values)]
    if not len(known):
        return np.zeros(len(values))
    middle = np.median(known)
    spread = 1.4826 * np.median(np.abs(known - middle))
    # Where most values are the same, such as no censored volumes, there is no scale.
    return (values - middle) / spread if spread > 0 else np.zeros(len(values))


def page_of(dataset: str, row: Mapping[str, Any], shards: int) -> str:
    """Return the link to the pictures of a scan, or of the run of a block.

    Parameters
    ----------
    dataset : str
    row : mapping
        Of a table of scans, with the id of the person.
    shards : int
    """
    run = row.get(SOURCE)
    scan = run if isinstance(run, str) else row["scan"]
    shard = shard_of(str(row["participant_id"]), shards)
    return f"scans/{quote(dataset)}/shard-{shard:04d}.html#{quote(str(scan))}"
