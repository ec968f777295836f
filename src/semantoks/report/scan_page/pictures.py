"""Small pictures as text that a page holds, and the arrays that they show."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import numpy as np

# On import matplotlib reads a matplotlibrc in the working folder, which may be anybody's.
with chdir(Path(__file__).parent):
    from matplotlib import colormaps
    from matplotlib.image import imsave

QUALITY = 55  # of WebP: a scan has about 30 KB of pictures
MOST_ROWS = 100  # of a carpet and a connectome; neighbours of a network are averaged
MOST_COLUMNS = 320  # of a carpet
LIMIT = 2.0  # z-scores that are black and white in a carpet
MISSING = np.array([0.85, 0.55, 0.2])  # where there are no data: no shade of grey


def data_uri(picture_YX3: np.ndarray, *, lossless: bool = False) -> str:
    """Encode a picture, values from 0 to 1, as WebP within a URI."""
    buffer, options = io.BytesIO(), {"quality": QUALITY, "lossless": lossless}
    imsave(buffer, np.clip(picture_YX3, 0, 1), format="webp", pil_kwargs=options)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def network_order(networks: Sequence[str]) -> np.ndarray:
    """Order of regions in which those of a network are together."""
    return np.argsort(np.asarray(networks), kind="stable")


def carpet(timeseries_CT: np.ndarray, networks: Sequence[str]) -> np.ndarray:
    """Draw regions over time in grey, sorted by network; regions without data have a colour.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored, NaN for a region without data.
    networks : sequence of str
        Network of each region.

    Returns
    -------
    ndarray, shape (rows, columns, 3)
    """
    sorted_CT = timeseries_CT[network_order(networks)]
    small = _averaged(_averaged(sorted_CT, MOST_ROWS).T, MOST_COLUMNS).T
    grey = 0.5 + small / (2 * LIMIT)
    picture = np.repeat(grey[..., None], 3, axis=2)
    picture[np.isnan(grey)] = MISSING
    return picture


def connectivity(timeseries_CT: np.ndarray) -> np.ndarray:
    """Pearson correlation of all pairs of regions; NaN where one has no data."""
    known = np.isfinite(timeseries_CT).all(axis=1)
    matrix = np.full((len(timeseries_CT), len(timeseries_CT)), np.nan)
    matrix[np.ix_(known, known)] = np.corrcoef(timeseries_CT[known])
    return matrix


def connectome(matrix_CC: np.ndarray, networks: Sequence[str]) -> np.ndarray:
    """Draw correlations from -1 (blue) to 1 (red) in steps of 0.1, sorted by network.

    Encoded without loss, few colours take little space; with loss, they run into each other.
    """
    order = network_order(networks)
    sorted_CC = matrix_CC[np.ix_(order, order)]
    small = _averaged(_averaged(sorted_CC, MOST_ROWS).T, MOST_ROWS)
    picture = colormaps["RdBu_r"]((np.nan_to_num(small).round(1) + 1) / 2)[..., :3]
    picture[np.isnan(small)] = 0.5
    return np.asarray(picture)


def within_and_between(matrix_CC: np.ndarray, networks: Sequence[str]) -> tuple[float, float]:
    """Mean correlation of regions of the same network, and of different ones."""
    labels = np.asarray(networks)
    pairs = ~np.eye(len(labels), dtype=bool) & np.isfinite(matrix_CC)
    same = labels[:, None] == labels
    parts = (matrix_CC[pairs & same], matrix_CC[pairs & ~same])
    within, between = (float(part.mean()) if len(part) else float("nan") for part in parts)
    return within, between


def _averaged(values: np.ndarray, most: int) -> np.ndarray:
    """Average neighbouring rows until there are at most so many; NaN only where all are."""
    if len(values) <= most:
        return values
    edges = np.linspace(0, len(values), most + 1).astype(int)
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0), edges[:-1], axis=0)
    counts = np.add.reduceat(known.astype(int), edges[:-1], axis=0)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
