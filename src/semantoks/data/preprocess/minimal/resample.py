"""Resample a run from scanner space to the template grid in a single interpolation."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from semantoks.data.preprocess.minimal.geometry import grid_centre, rigid_matrix, transform
from semantoks.data.preprocess.minimal.reading import RawBold


def resample(bold: RawBold, points: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Sample every volume at the same points of the moving head, by cubic splines.

    Motion and registration are combined before sampling, so intensities are interpolated in space
    only once.

    Parameters
    ----------
    bold : RawBold
    points : ndarray, shape (3, n)
        Scanner mm at the time of the reference volume.
    motion : ndarray, shape (volumes, 6)
        See `semantoks.data.preprocess.minimal.realign.realign`.

    Returns
    -------
    ndarray of float32, shape (n, volumes)
        0 outside the field of view.
    """
    centre = grid_centre(bold.images.shape[:3], bold.affine)
    to_voxels = np.linalg.inv(bold.affine)
    series = np.empty((points.shape[1], bold.n_volumes), np.float32)
    for t, parameters in enumerate(motion):
        voxels = transform(to_voxels @ rigid_matrix(parameters, centre), points)
        # Filtered here, because map_coordinates would do it in float64.
        spline = spline_filter(bold.images[..., t], order=3, output=np.float32)
        series[:, t] = map_coordinates(spline, voxels, order=3, prefilter=False)
    return series


def resample_mask(mask: np.ndarray, affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sample a mask at points (3, n), in mm of its affine; returns bool, shape (n,)."""
    voxels = transform(np.linalg.inv(affine), points)
    return np.asarray(map_coordinates(mask.astype(np.float32), voxels, order=1) >= 0.5)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Compute the overlap of two masks, 2 |a ∩ b| / (|a| + |b|) (Dice 1945)."""
    return float(2 * (a & b).sum() / max(a.sum() + b.sum(), 1))
