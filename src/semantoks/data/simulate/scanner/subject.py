"""A participant's head in the scanner, and its BOLD contrast before it moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates

from semantoks.data.simulate.anatomy import BRAIN_CENTRE, Head, HeadShape
from semantoks.data.simulate.scanner.protocol import Grid, transform

HALF_BOX = np.array([95.0, 115.0, 100.0])  # mm; half the edges of a box around the head


@dataclass(frozen=True)
class Subject:
    """Anatomy and position of a head.

    Attributes
    ----------
    head : Head
        The template's head.
    shape : HeadShape
        How this head differs from the template's.
    pose : ndarray, shape (4, 4)
        Participant's frame → scanner, in mm.
    """

    head: Head
    shape: HeadShape
    pose: np.ndarray

    def template_voxels(self, points: np.ndarray) -> np.ndarray:
        """Convert scanner points (3, n) in mm to voxel coordinates (3, n) of the template."""
        from_scanner = np.linalg.inv(self.pose)
        return self.head.voxels(self.shape.to_template(transform(from_scanner, points)))


class RestingHead:
    """The head in its first position, sampled at half the edge of a BOLD voxel.

    Every volume of a run is interpolated from it, which is faster than deforming the template anew
    for each volume.
    """

    def __init__(self, subject: Subject, grid: Grid) -> None:
        voxel = float(np.linalg.norm(grid.affine[:3, 0]))
        self.step = voxel / 2
        self.origin = BRAIN_CENTRE - HALF_BOX
        x, y, z = (int(n) for n in np.ceil(2 * HALF_BOX / self.step))
        points = np.indices((x, y, z)).reshape(3, -1) * self.step + self.origin[:, None]
        voxels, head = subject.template_voxels(points), subject.head
        sharp = map_coordinates(head.bold, voxels, order=1).reshape(x, y, z)
        # Point spread function of a BOLD voxel: full width at half maximum = its edge.
        self.bold = gaussian_filter(sharp, voxel / 2.355 / self.step).astype(np.float32)
        # Nearest voxel: numbers of regions cannot be interpolated.
        nearest = _nearest_voxels(voxels, head.bold.shape)
        self.fluid = head.fluid.ravel()[nearest]
        self.regions, self.weights = head.regions[nearest], head.weights[nearest]

    def reachable_voxels(self, grid: Grid) -> np.ndarray:
        """Find the voxels of a BOLD grid that the moving head can reach.

        Returns
        -------
        ndarray of bool, shape (voxels,)
            Voxels within 3 voxels of the resting head.
        """
        intensity, _ = self.sample(grid.points())
        return binary_dilation(intensity.reshape(grid.shape) > 0.02, iterations=3).ravel()

    def sample(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return BOLD intensity and nearest voxel (flat index) at points (3, n) in mm."""
        voxels = (points - self.origin[:, None]) / self.step
        intensity = map_coordinates(self.bold, voxels, order=1)
        return intensity, _nearest_voxels(voxels, self.bold.shape)

    def activity(self, nearest: np.ndarray, signals: np.ndarray, moment: np.ndarray) -> np.ndarray:
        """Return the relative change of intensity through brain activity.

        Parameters
        ----------
        nearest : ndarray of int, shape (n,)
            Voxels, as `sample` returns them.
        signals : ndarray, shape (regions, moments)
        moment : ndarray of int, shape (n,)
            When each voxel is acquired.

        Returns
        -------
        ndarray, shape (n,)
        """
        neighbours = signals[self.regions[nearest], moment[:, None]]
        return np.asarray((self.weights[nearest] * neighbours).sum(1))


def _nearest_voxels(voxels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Round voxel coordinates (3, n) to flat indices, clipped to the image."""
    last = np.array(shape)[:, None] - 1
    return np.ravel_multi_index(tuple(np.clip(np.rint(voxels).astype(np.intp), 0, last)), shape)
