"""Acquisition protocol: voxel grids and slice timing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semantoks.config import Simulation
from semantoks.data.simulate.anatomy import BRAIN_CENTRE
from semantoks.data.simulate.scanner.motion import rigid_matrix

BOLD_FIELD_OF_VIEW = np.array([205.0, 240.0, 185.0])  # mm
T1W_FIELD_OF_VIEW = np.array([192.0, 232.0, 222.0])
MULTIBAND_FACTOR = 5  # where the number of slices permits
TILT = (-20, -5)  # degrees about the left-right axis


@dataclass(frozen=True)
class Grid:
    """Voxels of an image in the scanner.

    Attributes
    ----------
    shape : tuple of int
    affine : ndarray, shape (4, 4)
        Voxel → scanner mm.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray

    def points(self) -> np.ndarray:
        """Return the coordinates of all voxels in scanner mm, shape (3, voxels)."""
        return transform(self.affine, np.indices(self.shape).reshape(3, -1))


@dataclass(frozen=True)
class Protocol:
    """Grid and timing of a BOLD run.

    Attributes
    ----------
    grid : Grid
    slice_times : ndarray, shape (slices,)
        Seconds after the start of a volume.
    starts : ndarray, shape (volumes,)
        Start of each volume in seconds.
    """

    grid: Grid
    slice_times: np.ndarray
    starts: np.ndarray

    @property
    def volumes(self) -> int:
        """Number of volumes."""
        return len(self.starts)


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply a (4, 4) matrix to points (3, n)."""
    return np.asarray(matrix[:3, :3] @ points + matrix[:3, 3:])


def make_grid(field_of_view: np.ndarray, voxel_size: float, tilt: float = 0.0) -> Grid:
    """Centre a grid on the brain; field of view and voxel size in mm, tilt of the slices in rad."""
    x, y, z = (int(np.ceil(edge / voxel_size)) for edge in field_of_view)
    affine = rigid_matrix(np.r_[0, 0, 0, tilt, 0, 0], np.zeros(3))
    affine[:3, :3] *= voxel_size
    affine[:3, 3] = BRAIN_CENTRE - affine[:3, :3] @ ((np.array([x, y, z]) - 1) / 2)
    return Grid((x, y, z), affine)


def draw_protocol(rng: np.random.Generator, settings: Simulation) -> Protocol:
    """Draw the tilt of the slices; the rest of the protocol follows from the settings."""
    grid = make_grid(BOLD_FIELD_OF_VIEW, settings.voxel_size, np.deg2rad(rng.uniform(*TILT)))
    volumes = int(settings.seconds / settings.repetition_time)
    times = slice_times(grid.shape[2], settings.repetition_time)
    return Protocol(grid, times, np.arange(volumes) * settings.repetition_time)


def slice_times(slices: int, repetition_time: float) -> np.ndarray:
    """Compute multiband, interleaved slice times: first the even groups of slices, then the odd.

    Parameters
    ----------
    slices : int
    repetition_time : float
        Seconds per volume.

    Returns
    -------
    ndarray, shape (slices,)
        Seconds after the start of the volume.
    """
    groups = int(np.ceil(slices / MULTIBAND_FACTOR))
    times = np.empty(groups)
    times[np.r_[0:groups:2, 1:groups:2]] = np.arange(groups) * repetition_time / groups
    return times[np.arange(slices) % groups]
