"""Estimate rigid head motion by least squares on image intensities.

Inverse-compositional Gauss-Newton (Baker & Matthews 2004, doi:10.1023/B:VISI.0000011205.11775.fd)
with the cost function of Friston et al. (1995, doi:10.1002/hbm.460030303). The Jacobian depends on
the reference volume only, so it is computed once per run. For accuracy and speed compared with ANTs
see docs/decisions/0001-motion-correction.md.
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

# A cubic B-spline without prefilter interpolates the image blurred by the spline kernel. The blur
# is wanted, since it keeps noise out of the gradients, and skipping the prefilter saves time.
BLUR = np.array([1.0, 4.0, 1.0]) / 6
SLOPE = np.array([-1.0, 0.0, 1.0]) / 2
BLUR_FWHM = 1.36  # voxels, of the spline kernel
FWHM = 5.0  # mm, of the total blur
MAX_POINTS = 10_000  # doubling it doubles the time and improves accuracy by less than 1 µm
MAX_ITERATIONS = 30
TOLERANCE = 2e-3  # mm, of a step: translation plus rotation at a radius of 50 mm


def choose_reference(images: np.ndarray, non_steady: int) -> int:
    """Choose the volume closest to the voxelwise median, among 21 spread evenly over the run.

    Parameters
    ----------
    images : ndarray, shape (x, y, z, volumes)
        The run.
    non_steady : int
        Number of initial volumes to exclude.

    Returns
    -------
    int
        Index of the reference volume.
    """
    candidates = np.unique(np.linspace(non_steady, images.shape[3] - 1, 21).astype(int))
    voxels = images[..., candidates].reshape(-1, len(candidates))
    distance = np.abs(voxels - np.median(voxels, axis=1, keepdims=True)).mean(axis=0)
    return int(candidates[distance.argmin()])


def realign(images: np.ndarray, affine: np.ndarray, mask: np.ndarray, reference: int) -> np.ndarray:
    """Estimate head motion relative to a reference volume.

    Parameters
    ----------
    images : ndarray of float32, shape (x, y, z, volumes)
        The run.
    affine : ndarray, shape (4, 4)
        Voxels to scanner mm.
    mask : ndarray of bool, shape (x, y, z)
        Brain mask of the reference volume.
    reference : int
        Index of the reference volume.

    Returns
    -------
    ndarray, shape (volumes, 6)
        Displacement of the head from its position in the reference volume, as parameters of
        `rigid_matrix`: translations in mm, rotations about the centre of the grid in rad.

    Raises
    ------
    ScanError
        If a volume cannot be aligned.
    """
    model = _Model.build(_blurred(images[..., reference], affine), affine, mask)
    volumes = images.shape[3]
    motion = np.zeros((volumes, 6))
    # From the reference outwards: the motion of a neighbour is the best initial guess.
    for order in (range(reference + 1, volumes), range(reference - 1, -1, -1)):
        matrix = np.eye(4)
        for t in order:
            matrix = model.fit(_blurred(images[..., t], affine), matrix)
            if not np.isfinite(matrix).all():
                raise ScanError(f"head motion could not be estimated at volume {t} of {volumes}")
            motion[t] = rigid_parameters(matrix, model.centre)
    return motion


def _blurred(volume: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Blur a volume so that, together with the spline kernel, its smoothness is `FWHM`."""
    voxels = voxel_sizes(affine)
    missing = np.sqrt(np.maximum(FWHM**2 - (BLUR_FWHM * voxels) ** 2, 0)) / voxels / 2.355
    volume = np.ascontiguousarray(volume, dtype=np.float32)
    # Sampled at whole voxels, a Gaussian of less than 0.3 voxels is almost a single 1.
    return gaussian_filter(volume, missing) if missing.max() > 0.3 else volume


@dataclass(frozen=True)
class _Model:
    """Points of the reference volume, and the linear map from intensities there to a step.

    Attributes
    ----------
    points : ndarray, shape (3, n)
        Scanner mm.
    solve : ndarray, shape (6 + nuisance, n)
        Pseudo-inverse of the Jacobian; row 6 estimates the global intensity scale.
    to_voxels : ndarray, shape (4, 4)
        Scanner mm to voxels.
    centre : ndarray, shape (3,)
        Centre of rotation in mm.
    """

    points: np.ndarray
    solve: np.ndarray
    to_voxels: np.ndarray
    centre: np.ndarray

    @classmethod
    def build(cls, reference: np.ndarray, affine: np.ndarray, mask: np.ndarray) -> _Model:
        """Linearise the intensities of a blurred reference volume around zero motion."""
        # Dilated, because the edge of the brain has the steepest gradients.
        inside = np.argwhere(binary_dilation(mask))
        # Ceiling division, so that at most MAX_POINTS are left, evenly spread.
        inside = inside[:: -(-len(inside) // MAX_POINTS)].T
        voxels = tuple(inside)
        to_voxels, centre = np.linalg.inv(affine), grid_centre(reference.shape, affine)
        points = transform(affine, inside)
        slopes = np.stack([_filtered(reference, axis)[voxels] for axis in range(3)])
        gradient = to_voxels[:3, :3].T @ slopes  # per mm
        arm, intensity = points - centre[:, None], _filtered(reference, None)[voxels]
        torque = np.cross(arm, gradient, axis=0)  # derivative with respect to rotations
        # A global scale, an offset and a linear intensity gradient absorb scanner drift and the
        # receive field, which stays in place while the head moves.
        nuisance = np.stack([intensity, np.ones_like(intensity), *(intensity * arm / 100)])
        # The normal equations square the condition number, hence float64.
        design = np.concatenate([gradient, torque, nuisance]).astype(np.float64)
        return cls(points, np.linalg.solve(design @ design.T, design), to_voxels, centre)

    def fit(self, volume: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """Estimate the motion (4, 4) from the reference to a volume, given an initial guess."""
        for _ in range(MAX_ITERATIONS):
            voxels = transform(self.to_voxels @ matrix, self.points)
            sampled = map_coordinates(volume, voxels, order=3, prefilter=False, mode="nearest")
            step = self.solve @ sampled
            # The model is volume = scale × (reference + motion), so divide motion by the scale.
            step = step[:6] / step[6]
            # The step moves the reference, so its inverse is what moves the volume.
            matrix = matrix @ np.linalg.inv(rigid_matrix(step, self.centre))
            if np.abs(step[:3]).sum() + 50 * np.abs(step[3:]).sum() < TOLERANCE:
                break
        return matrix


def _filtered(image: np.ndarray, slope_axis: int | None) -> np.ndarray:
    """Evaluate the unfiltered cubic B-spline, or its slope along an axis, at the voxels."""
    for axis in range(3):
        image = correlate1d(image, SLOPE if axis == slope_axis else BLUR, axis=axis, mode="nearest")
    return image
