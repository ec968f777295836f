"""Curves over the time of a scan, as small SVG elements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 320, 40  # units of the drawing, which is as wide as the carpet
MOST_POINTS = 240
TOP_OF_LIMIT = 4  # times the limit is the upper edge, the same in all scans


@dataclass(frozen=True)
class Trace:
    """A curve.

    Attributes
    ----------
    label : str
    points : str
        Of an SVG polyline on `WIDTH` × `HEIGHT`.
    top : float
        Value at the upper edge, at which larger ones are cut; the lower edge is 0.
    limit : float or None
        Height of a line to compare with, in units of the drawing.
    peak : float
        Largest value.
    """

    label: str
    points: str
    top: float
    limit: float | None
    peak: float


def trace(values: np.ndarray, label: str, limit: float | None = None) -> Trace | None:
    """Draw a curve; of a long one, the largest value of every few volumes.

    Parameters
    ----------
    values : ndarray, shape (volumes,)
        NaN, as in the first volume, is drawn as the mean.
    label : str
    limit : float, optional
        Value of a line to compare with.

    Returns
    -------
    Trace or None
        None if no value is known.
    """
    if not np.isfinite(values).any():
        return None
    known = np.nan_to_num(values, nan=float(np.nanmean(values)))
    edges = np.linspace(0, len(known), min(len(known), MOST_POINTS) + 1).astype(int)
    heights = np.maximum.reduceat(known, edges[:-1])
    top = TOP_OF_LIMIT * limit if limit else max(float(known.max()), 1e-6)
    x = (edges[:-1] + edges[1:]) / 2 / len(known) * WIDTH
    y = HEIGHT * (1 - np.minimum(heights / top, 1))
    points = " ".join(f"{a:.0f},{b:.1f}" for a, b in zip(x, y, strict=True))
    line = None if limit is None else round(HEIGHT * (1 - limit / top), 1)
    return Trace(label, points, top, line, float(np.nanmax(values)))


def regional_dvars(timeseries_CT: np.ndarray) -> np.ndarray:
    """Root mean square over regions of the change from volume to volume; NaN in the first."""
    known = timeseries_CT[np.isfinite(timeseries_CT).all(axis=1)]
    changes = np.sqrt((np.diff(known, axis=1) ** 2).mean(axis=0))
    return np.concatenate([[np.nan], changes])
