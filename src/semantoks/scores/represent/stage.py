"""Write the representations that need no model: connectivity, covariates, chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from semantoks.artifacts.excerpts import first_seconds
from semantoks.artifacts.representations import write_representation
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import (
    Scan,
    iter_scans,
    require_included,
)
from semantoks.errors import UserError
from semantoks.scores.represent.activity import mean_activity
from semantoks.scores.represent.connectivity import (
    connectivity,
    connectivity_without_global_signal,
    partial_correlation,
)
from semantoks.scores.represent.coskewness import third_moments
from semantoks.scores.represent.covariates import (
    confound_sources,
    covariate_features,
    log_sources,
)
from semantoks.scores.represent.projections import PROJECTIONS
from semantoks.scores.represent.settings import RepresentSettings
from semantoks.scores.represent.tangent import covariances, covariances_without_global_signal

FROM_SCANS: dict[str, Callable[[Iterable[Scan]], Iterator[np.ndarray]]] = {
    "fc": connectivity,
    "fc_gsr": connectivity_without_global_signal,
    "partial": partial_correlation,
    "tangent": covariances,
    "tangent_gsr": covariances_without_global_signal,
    "tangent_rbf": covariances,
    "coskewness": third_moments,
    "mean_activity": mean_activity,
}

NO_ACTIVITY = 1e-6  # standard deviations; means of float32 that are zero


def represent(
    settings: RepresentSettings,
    *,
    representation: str,
    timeseries: Sequence[Path],
    participants: Path,
    out: Path,
) -> list[Path]:
    """Write a representation of all included scans.

    Parameters
    ----------
    settings : RepresentSettings
    representation : str
        A key of `FROM_SCANS`, ``confounds``, or ``chance``, which has no features.
    timeseries : sequence of Path
        Shards of regional time series.
    participants : Path
        Table of participants.
    out : Path

    Returns
    -------
    list of Path
        `out`.

    Raises
    ------
    UserError
        If every scan is excluded, or none has a finite feature.
    """
    scans = require_included(timeseries, "represent")
    features: np.ndarray | Iterator[np.ndarray] = np.empty((len(scans), 0))
    names, sources = list[str](), dict[str, str | None]()
    if representation in FROM_SCANS:
        used = first_seconds(iter_scans(timeseries), settings.seconds)
        features = _rows(representation, used)
    elif representation == "confounds":
        people, named = read_table(participants), settings.confound_columns()
        features, names = covariate_features(scans, people, named)
        sources = confound_sources(names, scans, people, named)
        log_sources(sources, people, named)
    # Marks rows that the probe must project within each training part before use.
    fitted = representation if representation in PROJECTIONS else ""
    write_representation(out, scans, features, names, fitted=fitted, sources=sources)
    return [out]


def _rows(representation: str, scans: Iterable[Scan]) -> Iterator[np.ndarray]:
    """Yield the features of each scan, NaN where no two regions have data.

    The covariance of a scan without data would be the identity, as of a scan without connections.

    Raises
    ------
    UserError
        If the mean of the regions is asked of whole scans, whose means are zero.
    """
    for scan in scans:
        (row,) = FROM_SCANS[representation]([scan])
        if representation == "mean_activity" and np.nanmax(np.abs(row), initial=0) < NO_ACTIVITY:
            raise UserError(
                f"The mean of every region of {scan.scan} is zero, as of every whole run that is "
                "z-scored, so mean_activity would say nothing. Take it out of `baselines`, or cut "
                "the runs into blocks by `events`."
            )
        # The deviation of a region with a NaN is NaN, and no comparison with it is true.
        with_data = int((np.std(scan.timeseries_CT, axis=1) > 0).sum())
        yield row if with_data > 1 else np.full_like(row, np.nan)
