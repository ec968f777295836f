"""Rigid transforms, and coordinates of voxels in millimetres."""

from __future__ import annotations

import numpy as np

PARAMETERS = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def rigid_matrix(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Compute the matrix of x ↦ Rx·Ry·Rz·(x − centre) + centre + translation.

    Parameters
    ----------
    parameters : ndarray, shape (6,)
        Translations (mm) along and rotations (rad) about x, y, z of the scanner (RAS).
    centre : ndarray, shape (3,)
        Centre of rotation in mm.

    Returns
    -------
    ndarray, shape (4, 4)
    """
    (cx, cy, cz), (sx, sy, sz) = np.cos(parameters[3:]), np.sin(parameters[3:])
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [cy * cz, -cy * sz, sy],
        [sx * sy * cz + cx * sz, cx * cz - sx * sy * sz, -sx * cy],
        [sx * sz - cx * sy * cz, cx * sy * sz + sx * cz, cx * cy],
    ]
    matrix[:3, 3] = centre + parameters[:3] - matrix[:3, :3] @ centre
    return matrix


def rigid_parameters(matrix: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Recover the parameters, shape (6,), from which `rigid_matrix` makes a matrix."""
    rotation = matrix[:3, :3]
    angles = (
        np.arctan2(-rotation[1, 2], rotation[2, 2]),
        # Rounding can push the sine slightly beyond 1, where arcsin is NaN.
        np.arcsin(np.clip(rotation[0, 2], -1, 1)),
        np.arctan2(-rotation[0, 1], rotation[0, 0]),
    )
    return np.concatenate([matrix[:3, 3] - centre + rotation @ centre, angles])


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply a (4, 4) matrix to points (3, n)."""
    return np.asarray(matrix[:3, :3] @ points + matrix[:3, 3:])


def grid_points(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Compute the coordinates (3, n) in mm of all voxels of a grid, in C order."""
    return transform(affine, np.indices(shape).reshape(3, -1))


def grid_centre(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Compute the centre (3,) of a grid in mm."""
    return transform(affine, (np.array(shape)[:, None] - 1) / 2)[:, 0]


def voxel_sizes(affine: np.ndarray) -> np.ndarray:
    """Compute the edge lengths (3,) of a voxel in mm."""
    return np.asarray(np.linalg.norm(affine[:3, :3], axis=0))
