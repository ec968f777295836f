"""Slice timing correction: all slices of a volume are interpolated to the same moment."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from semantoks.errors import ScanError

DIRECTIONS = ("i", "i-", "j", "j-", "k", "k-")


class SliceTimingError(Exception):
    """Slice times that cannot be used; the run can, without the correction."""


@dataclass(frozen=True)
class SliceTiming:
    """When each slice is acquired.

    Attributes
    ----------
    axis : int
        Axis of the slices in the image array.
    times : ndarray, shape (slices,)
        Seconds after the start of the volume, in the order of the array.
    """

    axis: int
    times: np.ndarray

    @classmethod
    def from_bids(cls, slice_timing: str, direction: str) -> SliceTiming:
        """Parse BIDS metadata.

        Parameters
        ----------
        slice_timing : str
            `SliceTiming`, a JSON list of seconds.
        direction : str
            `SliceEncodingDirection`: i, j or k, with "-" where the first time belongs to the last
            slice of the array.

        Raises
        ------
        SliceTimingError
            When the direction is none of these.
        """
        if direction not in DIRECTIONS:
            raise SliceTimingError(
                f"SliceEncodingDirection is '{direction}', not one of {', '.join(DIRECTIONS)}"
            )
        times = np.asarray(json.loads(slice_timing), dtype=float)
        return cls("ijk".index(direction[0]), times[::-1] if direction.endswith("-") else times)

    def check(self, shape: tuple[int, ...], repetition_time: float) -> None:
        """Check the times against the shape (x, y, z, volumes) of a run and its TR (s).

        Raises
        ------
        SliceTimingError
            If they are not those of these slices, so that none can be corrected.
        ScanError
            If they contradict the TR, which every later step needs.
        """
        if len(self.times) != shape[self.axis]:
            raise SliceTimingError(
                f"SliceTiming lists {len(self.times)} slices, the image has {shape[self.axis]}"
            )
        if self.times.min() < 0:
            raise SliceTimingError(f"SliceTiming has a negative time, {self.times.min():g} s")
        if self.times.max() > repetition_time:
            raise ScanError(
                f"SliceTiming reaches {self.times.max():g} s but RepetitionTime is "
                f"{repetition_time:g} s: at least one of them is not in seconds"
            )


def correct_slice_timing(
    images: np.ndarray, repetition_time: float, times: np.ndarray, axis: int
) -> float:
    """Interpolate each slice in time, in place, to the middle of the acquisition.

    Interpolation is by cubic splines. Before the first and after the last sample of a slice, where
    there is nothing to interpolate, the nearest sample is repeated.

    Parameters
    ----------
    images : ndarray of float32, shape (x, y, z, volumes)
        The run; overwritten.
    repetition_time : float
        Seconds per volume.
    times : ndarray, shape (slices,)
        Seconds of each slice after the start of its volume.
    axis : int
        Axis of the slices.

    Returns
    -------
    float
        Seconds after the start of a volume that the corrected volume corresponds to (BIDS
        `StartTime`).
    """
    # The middle keeps the largest shift smallest, and is fMRIPrep's default.
    middle = float(times.min() + times.max()) / 2
    starts = np.arange(images.shape[3]) * repetition_time
    slices = np.moveaxis(images, axis, 0)
    for time in np.unique(times):
        wanted = np.clip(starts + middle - time, starts[0], starts[-1])
        # Interpolation is linear in the samples: one matrix serves every voxel of the slice.
        weights = CubicSpline(starts, np.eye(len(starts)))(wanted).astype(np.float32)
        # With multiband, several slices are acquired at the same time and share their weights.
        for index in np.flatnonzero(times == time):
            slices[index] = slices[index] @ weights.T
    return middle
