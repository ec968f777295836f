"""From the scanner to the template's grid in one interpolation."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from semantoks.data.preprocess.minimal.geometry import grid_centre, rigid_matrix, transform
from semantoks.data.preprocess.minimal.reading import Run


def resample(run: Run, points: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Look up every volume at the same points of the moving head: the only interpolation in space.

    Parameters
    ----------
    run
        The run.
    points
        Scanner mm at the reference volume, shape (3, n).
    motion
        Shape (volumes, 6).

    Returns
    -------
    ndarray of float32, shape (n, volumes)
        Cubic splines; 0 outside the field of view.
    """
    centre = grid_centre(run.images.shape[:3], run.affine)
    to_voxels = np.linalg.inv(run.affine)
    series = np.empty((points.shape[1], run.volumes), np.float32)
    for t, parameters in enumerate(motion):
        voxels = transform(to_voxels @ rigid_matrix(parameters, centre), points)
        spline = spline_filter(run.images[..., t], order=3, output=np.float32)
        series[:, t] = map_coordinates(spline, voxels, order=3, prefilter=False)
    return series


def resample_mask(mask: np.ndarray, affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Look a mask up at points (3, n) in its mm; bool, shape (n,)."""
    voxels = transform(np.linalg.inv(affine), points)
    return np.asarray(map_coordinates(mask.astype(np.float32), voxels, order=1) >= 0.5)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Overlap of two masks, 2 |a ∩ b| / (|a| + |b|) (Dice 1945)."""
    return float(2 * (a & b).sum() / max(a.sum() + b.sum(), 1))
