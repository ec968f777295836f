"""Write the representations that need no model: connectivity, confounds, chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import Scan, iter_scans, read_scan_table
from semantoks.errors import UserError
from semantoks.scores.represent.connectivity import (
    PROJECTIONS,
    connectivity,
    connectivity_without_global_signal,
    covariances,
    partial_correlation,
    third_moments,
)
from semantoks.scores.represent.covariates import confounds
from semantoks.scores.represent.settings import RepresentSettings

FROM_SCANS: dict[str, Callable[[Iterable[Scan]], Iterator[np.ndarray]]] = {
    "fc": connectivity,
    "fc_gsr": connectivity_without_global_signal,
    "partial": partial_correlation,
    "tangent": covariances,
    "coskewness": third_moments,
}


def represent(
    settings: RepresentSettings,
    *,
    representation: str,
    timeseries: Sequence[Path],
    participants: Path,
    out: Path,
) -> list[Path]:
    """Write a representation: a key of `FROM_SCANS`, ``confounds`` or ``chance``."""
    name = representation
    scans = read_scan_table(timeseries)
    scans = scans[scans["status"] == "ok"].reset_index(drop=True)
    if scans.empty:
        raise UserError("No scan is left after the exclusions, so there is nothing to represent.")
    features: np.ndarray | Iterator[np.ndarray] = np.empty((len(scans), 0))
    names = list[str]()
    if name in FROM_SCANS:
        features = FROM_SCANS[name](iter_scans(timeseries))
    elif name == "confounds":
        features, names = confounds(scans, read_table(participants), settings.site_column)
    write_representation(out, scans, features, names, fitted=name if name in PROJECTIONS else "")
    return [out]
