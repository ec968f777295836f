"""Bring all slices of a volume to one moment."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline


def slice_axis(direction: str, times: list[float]) -> tuple[int, np.ndarray]:
    """Axis of the slices, and their times in the order of the array.

    Parameters
    ----------
    direction
        BIDS `SliceEncodingDirection`: i, j or k, with "-" when the first time belongs to the
        last slice.
    times
        BIDS `SliceTiming` in s.

    Returns
    -------
    axis : int
    times : ndarray, shape (slices,)
    """
    ordered = np.asarray(times, dtype=float)
    return "ijk".index(direction[0]), ordered[::-1] if direction.endswith("-") else ordered


def correct_slice_timing(
    images: np.ndarray, repetition_time: float, times: np.ndarray, axis: int
) -> float:
    """Interpolate each slice in time, in place, to the middle of the acquisition.

    Cubic splines; at the ends of the run, where there is nothing to interpolate, the nearest
    sample is kept.

    Parameters
    ----------
    images
        The run, shape (x, y, z, volumes), float32.
    repetition_time
        Seconds per volume.
    times
        Seconds of each slice after the start of its volume.
    axis
        Axis of the slices.

    Returns
    -------
    float
        The moment in the volume, s, that the result belongs to.
    """
    middle = float(times.min() + times.max()) / 2
    starts = np.arange(images.shape[3]) * repetition_time
    slices = np.moveaxis(images, axis, 0)
    for time in np.unique(times):
        wanted = np.clip(starts + middle - time, starts[0], starts[-1])
        # Interpolation is linear in the samples: one matrix serves every voxel of the slice.
        weights = CubicSpline(starts, np.eye(len(starts)))(wanted).astype(np.float32)
        for index in np.flatnonzero(times == time):
            slices[index] = slices[index] @ weights.T
    return middle
