"""Head motion."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

COLUMNS = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
RADIUS = 50.0  # mm; converts radians to displacement (Power et al. 2012)
JERKS_PER_MINUTE = 0.5


def rigid_matrix(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the matrix of a head movement: x ↦ Rx·Ry·Rz·(x − centre) + centre + translation.

    Parameters
    ----------
    parameters : ndarray, shape (6,)
        Translations (mm) along and rotations (rad) about x, y, z (RAS).
    centre : ndarray, shape (3,)
        Centre of rotation in mm.

    Returns
    -------
    ndarray, shape (4, 4)
    """
    (cx, cy, cz), (sx, sy, sz) = np.cos(parameters[3:]), np.sin(parameters[3:])
    rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = rx @ ry @ rz
    matrix[:3, 3] = centre + parameters[:3] - matrix[:3, :3] @ centre
    return matrix


def framewise_displacement(motion: np.ndarray) -> np.ndarray:
    """Compute framewise displacement (Power et al. 2012, doi:10.1016/j.neuroimage.2011.10.018).

    Parameters
    ----------
    motion : ndarray, shape (volumes, 6)
        Translations (mm) and rotations (rad).

    Returns
    -------
    ndarray, shape (volumes − 1,)
        mm.
    """
    return np.asarray(np.abs(np.diff(motion, axis=0)) @ np.r_[np.ones(3), np.full(3, RADIUS)])


def draw_motion(
    rng: np.random.Generator, volumes: int, repetition_time: float, mean_fd: float
) -> np.ndarray:
    """Draw a smooth random walk with occasional jerks.

    Parameters
    ----------
    rng : Generator
    volumes : int
    repetition_time : float
        Seconds between volumes.
    mean_fd : float
        Mean framewise displacement of the result in mm.

    Returns
    -------
    ndarray, shape (volumes, 6)
        Translations (mm) and rotations (rad) relative to the first volume.
    """
    # At 50 mm from the centre, rotations displace by 0.8 times as much as translations.
    unit = np.r_[np.ones(3), np.full(3, 0.8 / RADIUS)]
    walk = np.cumsum(rng.standard_normal((volumes, 6)), axis=0)
    path = gaussian_filter1d(walk, 1.0, axis=0) + 0.3 * rng.standard_normal((volumes, 6))
    jerks = rng.random(volumes) < JERKS_PER_MINUTE * repetition_time / 60
    steps = jerks[:, None] * rng.normal(0, 4, (volumes, 6))
    # After a jerk the head returns most of the way within a few volumes; 20 % remain.
    recovery = 0.2 + 0.8 * np.exp(-np.arange(volumes) / 3)
    path += np.apply_along_axis(lambda s: np.convolve(s, recovery)[:volumes], 0, steps)
    path = (path - path[0]) * unit
    # Framewise displacement is proportional to the amplitude: one factor gives the exact mean.
    return np.asarray(path * mean_fd / framewise_displacement(path).mean())
