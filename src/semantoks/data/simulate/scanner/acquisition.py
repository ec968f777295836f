"""Acquisition of T1w and BOLD images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from semantoks.data.simulate.activity import sample
from semantoks.data.simulate.anatomy import BRAIN_CENTRE
from semantoks.data.simulate.scanner import noise
from semantoks.data.simulate.scanner.motion import rigid_matrix
from semantoks.data.simulate.scanner.protocol import Grid, Protocol, transform
from semantoks.data.simulate.scanner.subject import RestingHead, Subject

AMPLITUDE = (0.01, 0.02)  # BOLD activity as a fraction of the local intensity
THERMAL = {"T1w": 0.02, "bold": 0.01}  # noise as a fraction of the intensity of bright tissue
BIAS = {"T1w": 0.1, "bold": 0.2}  # strength of the coil's bias field
BRIGHTNESS = 1000.0
BRAIN = 0.2  # intensity that scalp does not reach


def acquire_t1w(rng: np.random.Generator, subject: Subject, grid: Grid) -> np.ndarray:
    """Acquire a T1w image.

    Returns
    -------
    ndarray of int16, shape `grid.shape`
    """
    points = grid.points()
    clean = map_coordinates(subject.head.t1w, subject.template_voxels(points), order=1)
    clean *= noise.sensitivity(rng, points, BIAS["T1w"])
    return _digitise(noise.magnitude(rng, clean, THERMAL["T1w"])).reshape(grid.shape)


def acquire_bold(
    rng: np.random.Generator,
    subject: Subject,
    protocol: Protocol,
    motion: np.ndarray,
    activity: np.ndarray,
) -> np.ndarray:
    """Acquire a run slice by slice, with head motion between volumes.

    Parameters
    ----------
    rng : Generator
    subject : Subject
        The head, in its pose at the first volume.
    protocol : Protocol
        Grid and timing.
    motion : ndarray, shape (volumes, 6)
        See `motion.rigid_matrix`.
    activity : ndarray, shape (regions, times)
        See `activity.region_signals`.

    Returns
    -------
    ndarray of int16, shape (x, y, z, volumes)
    """
    grid, head = protocol.grid, RestingHead(subject, protocol.grid)
    # Voxels that the head never reaches hold noise only.
    inside = head.reachable_voxels(grid)
    points = grid.points()[:, inside]
    # Slices acquired together share their moment, so signals are sampled once per moment.
    moments, moment_of_slice = np.unique(protocol.slice_times, return_inverse=True)
    moment = np.broadcast_to(moment_of_slice, grid.shape).ravel()[inside]
    run = _RunSignals.draw(rng, activity, protocol.starts[:, None] + moments, points)
    images = np.empty((len(inside), protocol.volumes), np.int16)
    clean = np.zeros(len(inside), np.float32)
    for volume, parameters in enumerate(motion):
        # Pulled back: every voxel looks up which part of the resting head is in it.
        to_rest = np.linalg.inv(rigid_matrix(parameters, BRAIN_CENTRE))
        clean[inside] = run.intensity(head, volume, transform(to_rest, points), moment)
        images[:, volume] = _digitise(noise.magnitude(rng, clean, THERMAL["bold"]))
    return images.reshape(*grid.shape, -1)


@dataclass(frozen=True)
class _RunSignals:
    """Everything that modulates the BOLD intensity during a run.

    Attributes
    ----------
    activity : ndarray, shape (regions, volumes, moments)
        A moment is a time within a volume at which slices are acquired.
    pulse, breathing : ndarray, shape (volumes, moments)
    gain : ndarray, shape (n,)
        Sensitivity of the coil.
    drift_courses : ndarray, shape (volumes, 4)
    drift_maps : ndarray, shape (4, n)
    """

    activity: np.ndarray
    pulse: np.ndarray
    breathing: np.ndarray
    gain: np.ndarray
    drift_courses: np.ndarray
    drift_maps: np.ndarray

    @classmethod
    def draw(
        cls, rng: np.random.Generator, activity: np.ndarray, times: np.ndarray, points: np.ndarray
    ) -> _RunSignals:
        """Draw the signals at times (volumes, moments) in s and points (3, n) in mm."""
        amplitude = rng.uniform(*AMPLITUDE, (len(activity), 1))
        signals = sample(activity * amplitude, times).astype(np.float32)
        pulse, breathing = noise.physiological_noise(rng, times, times.max())
        gain = noise.sensitivity(rng, points, BIAS["bold"]).astype(np.float32)
        return cls(signals, pulse, breathing, gain, *noise.drift(rng, points, len(times)))

    def intensity(
        self, head: RestingHead, volume: int, points: np.ndarray, moment: np.ndarray
    ) -> np.ndarray:
        """Return the intensity (n,) of a volume at points (3, n) of the resting head."""
        intensity, nearest = head.sample(points)
        change = self.drift_courses[volume] @ self.drift_maps + self.breathing[volume, moment]
        brain = intensity > BRAIN  # outside the brain there is neither activity nor pulse
        voxels, when = nearest[brain], moment[brain]
        change[brain] += head.activity(voxels, self.activity[:, volume], when)
        change[brain] += head.fluid[voxels] * self.pulse[volume, when]
        return np.asarray(intensity * self.gain * (1 + change))


def _digitise(image: np.ndarray) -> np.ndarray:
    return np.rint(BRIGHTNESS * image).astype(np.int16)
