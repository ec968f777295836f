"""What the scanner makes of a head: T1w and BOLD images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter, map_coordinates

from semantoks.data.simulate import noise
from semantoks.data.simulate.activity import sample
from semantoks.data.simulate.anatomy import BRAIN_CENTRE, Head, Shape
from semantoks.data.simulate.motion import rigid_matrix
from semantoks.data.simulate.protocol import Grid, Protocol, transform

AMPLITUDE = (0.01, 0.02)  # BOLD activity as a fraction of the local intensity
THERMAL = {"T1w": 0.02, "bold": 0.01}  # noise as a fraction of bright tissue
BIAS = {"T1w": 0.1, "bold": 0.2}  # strength of the coil's sensitivity
BRIGHTNESS = 1000.0
BRAIN = 0.2  # intensity that scalp does not reach
BASE_HALF = np.array([95.0, 115.0, 100.0])  # mm; half the box that holds the head at rest


@dataclass(frozen=True)
class Subject:
    """A head in the scanner."""

    head: Head
    shape: Shape  # how this person differs from the template
    pose: np.ndarray  # (4, 4), person's frame → scanner mm

    def template(self, points: np.ndarray) -> np.ndarray:
        """Voxel coordinates in the template's head of scanner points (3, n)."""
        return self.head.voxels(self.shape.to_template(transform(self._from_scanner, points)))

    @property
    def _from_scanner(self) -> np.ndarray:
        return np.linalg.inv(self.pose)


def acquire_t1w(rng: np.random.Generator, subject: Subject, grid: Grid) -> np.ndarray:
    """Scan the anatomy: int16 image on the grid."""
    points = grid.points()
    clean = map_coordinates(subject.head.t1w, subject.template(points), order=1)
    clean *= noise.sensitivity(rng, points, BIAS["T1w"])
    return _digitise(noise.magnitude(rng, clean, THERMAL["T1w"])).reshape(grid.shape)


def acquire_bold(
    rng: np.random.Generator,
    subject: Subject,
    protocol: Protocol,
    motion: np.ndarray,
    activity: np.ndarray,
) -> np.ndarray:
    """Scan a run, slice by slice while the head moves from volume to volume.

    Parameters
    ----------
    rng
        Source of randomness.
    subject
        The head, in its pose at the first volume.
    protocol
        Grid and timing.
    motion
        Shape (volumes, 6), see `motion.rigid_matrix`.
    activity
        Signals of the regions, see `activity.region_signals`.

    Returns
    -------
    ndarray of int16, shape (x, y, z, volumes)
    """
    grid, rest = protocol.grid, _Rest(subject, protocol.grid)
    inside = rest.surroundings(grid)
    points = grid.points()[:, inside]
    moments, moment = np.unique(protocol.slice_times, return_inverse=True)
    when = np.broadcast_to(moment, grid.shape).ravel()[inside]  # of each voxel within a volume
    times = protocol.starts[:, None] + moments
    amplitude = rng.uniform(*AMPLITUDE, (len(activity), 1))
    signals = sample(activity * amplitude, times).astype(np.float32)
    pulse, breath = noise.body_noise(rng, times, times.max())
    gain = noise.sensitivity(rng, points, BIAS["bold"]).astype(np.float32)
    courses, maps = noise.drift(rng, points, protocol.volumes)
    images = np.empty((len(inside), protocol.volumes), np.int16)
    clean = np.zeros(len(inside), np.float32)
    for t, parameters in enumerate(motion):
        unmoved = np.linalg.inv(rigid_matrix(parameters, BRAIN_CENTRE))
        intensity, near = rest.look(transform(unmoved, points))
        change = courses[t] @ maps + breath[t, when]
        brain = intensity > BRAIN  # the rest of the head has no activity and no pulse
        change[brain] += rest.activity(near[brain], signals[:, t], when[brain])
        change[brain] += rest.fluid[near[brain]] * pulse[t, when[brain]]
        clean[inside] = intensity * gain * (1 + change)
        images[:, t] = _digitise(noise.magnitude(rng, clean, THERMAL["bold"]))
    return images.reshape(*grid.shape, -1)


def _digitise(image: np.ndarray) -> np.ndarray:
    return np.rint(BRIGHTNESS * image).astype(np.int16)


class _Rest:
    """The head at rest, on a grid half as wide as the BOLD voxels."""

    def __init__(self, subject: Subject, grid: Grid) -> None:
        voxel = float(np.linalg.norm(grid.affine[:3, 0]))
        self.step = voxel / 2
        self.origin = BRAIN_CENTRE - BASE_HALF
        x, y, z = (int(n) for n in np.ceil(2 * BASE_HALF / self.step))
        points = np.indices((x, y, z)).reshape(3, -1) * self.step + self.origin[:, None]
        voxels, head = subject.template(points), subject.head
        sharp = map_coordinates(head.bold, voxels, order=1).reshape(x, y, z)
        # A BOLD voxel blurs what lies within it: full width at half maximum = its edge.
        self.bold = gaussian_filter(sharp, voxel / 2.355 / self.step).astype(np.float32)
        flat = _nearest(voxels, head.bold.shape)
        self.fluid = head.fluid.ravel()[flat]
        self.regions, self.weights = head.regions[flat], head.weights[flat]

    def surroundings(self, grid: Grid) -> np.ndarray:
        """Which voxels of the grid (n,) may see the head when it moves: all within 3 voxels."""
        intensity, _ = self.look(grid.points())
        return binary_dilation(intensity.reshape(grid.shape) > 0.02, iterations=3).ravel()

    def look(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Intensity at scanner points (3, n), and the number of the voxel next to each."""
        voxels = (points - self.origin[:, None]) / self.step
        return map_coordinates(self.bold, voxels, order=1), _nearest(voxels, self.bold.shape)

    def activity(self, near: np.ndarray, signals: np.ndarray, when: np.ndarray) -> np.ndarray:
        """Relative change of intensity (n,); signals (regions, moments), near and when (n,)."""
        heard = signals[self.regions[near], when[:, None]]
        return np.asarray((self.weights[near] * heard).sum(1))


def _nearest(voxels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Flat numbers of the voxels next to voxel coordinates (3, n), clipped to the image."""
    last = np.array(shape)[:, None] - 1
    return np.ravel_multi_index(tuple(np.clip(np.rint(voxels).astype(np.intp), 0, last)), shape)
