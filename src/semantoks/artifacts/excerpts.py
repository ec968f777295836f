"""The first seconds of scans, for scores against the length of scans."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from semantoks.artifacts.timeseries import Scan
from semantoks.artifacts.zscores import log_deviation, zscore

log = logging.getLogger(__name__)


def first_seconds(scans: Iterable[Scan], seconds: float | None) -> Iterator[Scan]:
    """Cut scans to their first seconds, one at a time.

    Shorter scans are taken whole, and a warning counts their participants.

    Parameters
    ----------
    scans : iterable of Scan
    seconds : float or None
        None leaves scans whole.
    """
    short = set[str]()
    for scan in scans:
        if seconds is not None and scan.timeseries_CT.shape[1] < _volumes(scan, seconds):
            short.add(scan.participant_id)
        yield scan if seconds is None else cut(scan, seconds)
    if short:
        log.warning(
            "%d participants have scans of less than %g s, which are taken whole",
            *(len(short), seconds),
        )


def cut(scan: Scan, seconds: float) -> Scan:
    """Cut a scan to its first seconds, as if no more had been recorded.

    Parameters
    ----------
    scan : Scan
    seconds : float
        Rounded to volumes. A scan that is not longer is returned as it is.

    Returns
    -------
    Scan
        z-scored again; a region that does not change is NaN. ``amplitude_C`` is the log standard
        deviation of this part. The band-pass has seen the whole scan.
    """
    volumes = _volumes(scan, seconds)
    if scan.timeseries_CT.shape[1] <= volumes:
        return scan
    part_CT = scan.timeseries_CT[:, :volumes].astype(float)
    amplitude_C = scan.amplitude_C
    if amplitude_C is not None:
        amplitude_C = (amplitude_C + log_deviation(part_CT)).astype(np.float32)
    return replace(scan, timeseries_CT=zscore(part_CT).astype(np.float32), amplitude_C=amplitude_C)


def _volumes(scan: Scan, seconds: float) -> int:
    return round(seconds / scan.tr)
