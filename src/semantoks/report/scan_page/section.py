"""Pictures and measures of one scan."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from semantoks.artifacts.timeseries import EXCLUDED, Manifest
from semantoks.report.reasons import kind_of_exclusion
from semantoks.report.scan_page.images import ScanImages
from semantoks.report.scan_page.pictures import (
    carpet,
    connectivity,
    connectome,
    data_uri,
    network_order,
    within_and_between,
)
from semantoks.report.scan_page.settings import ScanPageSettings
from semantoks.report.scan_page.slices import Outlines, montage
from semantoks.report.scan_page.traces import Trace, regional_dvars, trace

# Label and format of each measure of a scan.
MEASURES = {
    "mean_fd": ("mean FD", "{:.2f} mm"),
    "censored": ("censored", "{:.0%}"),
    "tsnr": ("tSNR", "{:.0f}"),
    "dvars": ("DVARS", "{:.2f} %"),
    "coverage": ("coverage", "{:.1%}"),
    "seconds": ("length", "{:.0f} s"),
    "dof": ("degrees of freedom", "{:.0f}"),
    "repetition_time": ("TR", "{:.3g} s"),
    "dice": ("Dice, brain", "{:.2f}"),
    "correlation": ("r, T1w and template", "{:.2f}"),
}
MANY_REGIONS = 8  # without data in a scan; of more, only the numbers by network are shown


@dataclass(frozen=True)
class ScanSection:
    """What a page shows of a scan; pictures are None where there is nothing to draw.

    Attributes
    ----------
    name : str
        Its id, or its number on the page where scans may not be named.
    anchor : str
    reason : str
        Why it is excluded; empty if it is not.
    measures : dict of str to str
    keys : dict of str to float
        Measures to sort by; only those that are known.
    bold, t1w, carpet, connectome : str or None
        URIs of pictures.
    traces : list of Trace
    start, end : float
        Part of the run's time that the carpet covers, from 0 to 1.
    missing : list of str
        Networks with regions that have no data, in words.
    gaps : list of (float, float)
        Beginnings and widths of runs of such regions among all, sorted by network, from 0 to 1.
    within, between : float
        Mean correlation within networks and between them; NaN without time series.
    problem : str
        Why images could not be drawn.
    """

    name: str
    anchor: str
    reason: str
    measures: dict[str, str]
    keys: dict[str, float]
    bold: str | None
    t1w: str | None
    carpet: str | None
    connectome: str | None
    traces: list[Trace]
    start: float
    end: float
    missing: list[str]
    gaps: list[tuple[float, float]]
    within: float
    between: float
    problem: str


def scan_section(
    number: int,
    row: Mapping[str, Any],
    timeseries_CT: np.ndarray | None,
    images: ScanImages,
    manifest: Manifest,
    settings: ScanPageSettings,
) -> ScanSection:
    """Draw one scan.

    Parameters
    ----------
    number : int
        On the page, from 1.
    row : mapping
        Of the table of scans.
    timeseries_CT : ndarray, shape (regions, volumes), or None
        None if the scan is excluded.
    images : ScanImages
    manifest : Manifest
    settings : ScanPageSettings
    """
    name = str(row["scan"]) if settings.participants else f"scan {number}"
    reason = str(row["reason"]) if row["status"] == EXCLUDED else ""
    problem = images.problem
    if not settings.participants:
        # Both sentences quote files and ids.
        reason = reason and kind_of_exclusion(reason)
        problem = problem and kind_of_exclusion(problem)
    keys = {key: float(row[key]) for key in MEASURES if math.isfinite(row.get(key, math.nan))}
    outlines = Outlines(images.mask, "MNI" in images.space)
    matrix_CC = None if timeseries_CT is None else connectivity(timeseries_CT)
    within, between = math.nan, math.nan
    if matrix_CC is not None:
        within, between = within_and_between(matrix_CC, manifest.networks)
    start, end = _carpet_span(row, timeseries_CT, images, manifest)
    return ScanSection(
        name=name,
        anchor=name if settings.participants else f"scan-{number}",
        reason=reason,
        measures={MEASURES[k][0]: MEASURES[k][1].format(v) for k, v in keys.items()},
        keys=keys,
        bold=data_uri(montage(images.bold, outlines)) if images.bold else None,
        # Only the template tells where a face is, which must not be drawn.
        t1w=data_uri(montage(images.t1w, outlines))
        if images.t1w and outlines.has_template
        else None,
        carpet=None
        if timeseries_CT is None
        else data_uri(carpet(timeseries_CT, manifest.networks)),
        connectome=None
        if matrix_CC is None
        else data_uri(connectome(matrix_CC, manifest.networks), lossless=True),
        traces=_traces(timeseries_CT, images, settings),
        start=start,
        end=end,
        missing=[] if timeseries_CT is None else _missing(timeseries_CT, manifest),
        gaps=[] if timeseries_CT is None else _gaps(timeseries_CT, manifest),
        within=within,
        between=between,
        problem=problem,
    )


def _traces(
    timeseries_CT: np.ndarray | None, images: ScanImages, settings: ScanPageSettings
) -> list[Trace]:
    """Draw head motion and DVARS: of the images, or else of the cleaned regions."""
    curves = []
    if images.fd is not None:
        curves.append(trace(images.fd, "FD (mm)", settings.max_mean_fd))
    if images.dvars is not None:
        curves.append(trace(images.dvars, images.dvars_label))
    elif timeseries_CT is not None and np.isfinite(timeseries_CT).all(axis=1).any():
        curves.append(trace(regional_dvars(timeseries_CT), "DVARS of regions"))
    return [curve for curve in curves if curve is not None]


def _carpet_span(
    row: Mapping[str, Any],
    timeseries_CT: np.ndarray | None,
    images: ScanImages,
    manifest: Manifest,
) -> tuple[float, float]:
    """Part of the run that the cleaned series covers; the first volumes may be left out."""
    curve = images.fd if images.fd is not None else images.dvars
    if timeseries_CT is None or curve is None or not row.get("repetition_time", 0) > 0:
        return 0.0, 1.0
    total = len(curve) * float(row["repetition_time"])
    start = float(np.nan_to_num(row.get("start", 0))) / total
    length = timeseries_CT.shape[1] * manifest.tr / total
    return min(start, 1.0), min(start + length, 1.0)


def _missing(timeseries_CT: np.ndarray, manifest: Manifest) -> list[str]:
    """Count the regions without data by network, and name them if they are few."""
    missing = np.flatnonzero(np.isnan(timeseries_CT).any(axis=1))
    totals = Counter(manifest.networks)
    sentences = []
    for network, count in Counter(manifest.networks[i] for i in missing).most_common():
        names = [manifest.labels[i] for i in missing if manifest.networks[i] == network]
        named = f": {', '.join(names)}" if len(missing) <= MANY_REGIONS else ""
        sentences.append(f"{network} {count} of {totals[network]}{named}")
    return sentences


def _gaps(timeseries_CT: np.ndarray, manifest: Manifest) -> list[tuple[float, float]]:
    """Find the runs of regions without data in the order of the carpet."""
    lacks = np.isnan(timeseries_CT).any(axis=1)[network_order(manifest.networks)]
    edges = np.flatnonzero(np.diff(np.r_[False, lacks, False].astype(int))).reshape(-1, 2)
    return [(a / len(lacks), (b - a) / len(lacks)) for a, b in edges.tolist()]
