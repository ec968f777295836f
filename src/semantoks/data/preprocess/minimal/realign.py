"""Rigid head motion by least squares on image intensities.

Inverse-compositional Gauss-Newton (Baker & Matthews 2004) with the cost function of Friston et al.
(1995): the Jacobian belongs to the reference, so it is computed once per run. Accuracy and speed
against ANTs: docs/decisions/0001-motion-correction.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, correlate1d, gaussian_filter, map_coordinates

from semantoks.data.preprocess.minimal.geometry import (
    grid_centre,
    rigid_matrix,
    rigid_parameters,
    transform,
    voxel_sizes,
)
from semantoks.errors import ScanError

# A cubic B-spline without prefilter is an interpolant of the image blurred by the spline itself.
# We want that blur (it keeps noise out of the gradients), and it saves the prefilter.
BLUR = np.array([1.0, 4.0, 1.0]) / 6
SLOPE = np.array([-1.0, 0.0, 1.0]) / 2
BLUR_FWHM = 1.36  # voxels
FWHM = 5.0  # mm of blur wanted in all
MAX_POINTS = 10_000  # twice as many cost twice the time and gain less than 1 µm
MAX_ITERATIONS = 30
TOLERANCE = 2e-3  # mm, translation plus rotation at 50 mm


def choose_reference(images: np.ndarray, non_steady: int) -> int:
    """Pick the volume that is most like the median of the run.

    Parameters
    ----------
    images
        The run, shape (x, y, z, volumes).
    non_steady
        How many volumes at the start to leave out.

    Returns
    -------
    int
    """
    candidates = np.unique(np.linspace(non_steady, images.shape[3] - 1, 21).astype(int))
    some = images[..., candidates].reshape(-1, len(candidates))
    away = np.abs(some - np.median(some, axis=1, keepdims=True)).mean(axis=0)
    return int(candidates[away.argmin()])


def realign(images: np.ndarray, affine: np.ndarray, mask: np.ndarray, reference: int) -> np.ndarray:
    """Estimate head motion relative to one volume.

    Parameters
    ----------
    images
        The run, shape (x, y, z, volumes), float32.
    affine
        Voxel to scanner mm.
    mask
        Brain of the reference, shape (x, y, z), bool.
    reference
        Number of the reference volume.

    Returns
    -------
    ndarray, shape (volumes, 6)
        How the head has moved since the reference, see `geometry.rigid_matrix`; rotations are
        about the middle of the grid. Translations in mm, rotations in rad.

    Raises
    ------
    ScanError
        When a volume cannot be aligned.
    """
    model = _Model.build(_blurred(images[..., reference], affine), affine, mask)
    volumes = images.shape[3]
    motion = np.zeros((volumes, 6))
    # Outwards from the reference: each volume starts from its neighbour's motion.
    for order in (range(reference + 1, volumes), range(reference - 1, -1, -1)):
        matrix = np.eye(4)
        for t in order:
            matrix = model.fit(_blurred(images[..., t], affine), matrix)
            if not np.isfinite(matrix).all():
                raise ScanError(f"head motion could not be estimated at volume {t} of {volumes}")
            motion[t] = rigid_parameters(matrix, model.centre)
    return motion


def _blurred(volume: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Blur small voxels until, with the spline's own blur, FWHM is reached."""
    voxels = voxel_sizes(affine)
    missing = np.sqrt(np.maximum(FWHM**2 - (BLUR_FWHM * voxels) ** 2, 0)) / voxels / 2.355
    volume = np.ascontiguousarray(volume, dtype=np.float32)
    return gaussian_filter(volume, missing) if missing.max() > 0.3 else volume


@dataclass(frozen=True)
class _Model:
    """Reference points, and the matrix that turns intensities there into a motion step."""

    points: np.ndarray  # (3, n) scanner mm
    solve: np.ndarray  # (6 + nuisance, n); row 6 is the global scale
    to_voxels: np.ndarray  # (4, 4)
    centre: np.ndarray  # (3,) mm

    @classmethod
    def build(cls, reference: np.ndarray, affine: np.ndarray, mask: np.ndarray) -> _Model:
        # The rim of the brain tells most about motion.
        inside = np.argwhere(binary_dilation(mask))
        inside = inside[:: -(-len(inside) // MAX_POINTS)].T
        where = tuple(inside)
        to_voxels, centre = np.linalg.inv(affine), grid_centre(reference.shape, affine)
        points = transform(affine, inside)
        slopes = np.stack([_filtered(reference, axis)[where] for axis in range(3)])
        gradient = to_voxels[:3, :3].T @ slopes  # per mm
        arm, level = points - centre[:, None], _filtered(reference, None)[where]
        turns = np.cross(arm, gradient, axis=0)
        # Scale, offset and a tilt of brightness take up drift and the coil's sensitivity.
        nuisance = np.stack([level, np.ones_like(level), *(level * arm / 100)])
        design = np.concatenate([gradient, turns, nuisance]).astype(np.float64)
        return cls(points, np.linalg.solve(design @ design.T, design), to_voxels, centre)

    def fit(self, volume: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Motion (4, 4) that brings the reference onto a volume, from a first guess."""
        for _ in range(MAX_ITERATIONS):
            voxels = transform(self.to_voxels @ matrix, self.points)
            seen = map_coordinates(volume, voxels, order=3, prefilter=False, mode="nearest")
            step = self.solve @ seen
            step = step[:6] / step[6]
            matrix = matrix @ np.linalg.inv(rigid_matrix(step, self.centre))
            if np.abs(step[:3]).sum() + 50 * np.abs(step[3:]).sum() < TOLERANCE:
                break
        return matrix


def _filtered(image: np.ndarray, slope_axis: int | None) -> np.ndarray:
    """Value (or slope along an axis) at the voxels of the spline that is not prefiltered."""
    for axis in range(3):
        image = correlate1d(image, SLOPE if axis == slope_axis else BLUR, axis=axis, mode="nearest")
    return image
