"""Physiological, scanner and thermal noise."""

from __future__ import annotations

import numpy as np

from semantoks.data.simulate.activity import sample, slow_noise
from semantoks.data.simulate.anatomy import BRAIN_CENTRE

# Standard deviations as fractions of the local intensity.
CARDIAC, RESPIRATORY, GLOBAL, DRIFT = 0.02, 0.005, 0.003, 0.01


def physiological_noise(
    rng: np.random.Generator, times: np.ndarray, seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw cardiac noise, and respiratory noise with slow global waves.

    Both are sampled at the times of the slices, so they are aliased as in real data.

    Parameters
    ----------
    rng : Generator
    times : ndarray
        Seconds, of any shape.
    seconds : float
        Duration of the run.

    Returns
    -------
    cardiac, respiratory : ndarray, with the shape of `times`
        Relative change of intensity: in cerebrospinal fluid, and everywhere.
    """
    cardiac_phase, respiratory_phase, waves = sample(
        slow_noise(rng, np.full(3, 0.03), seconds), times
    )
    # A slowly varying phase makes the rates fluctuate, as they do in people.
    cardiac = np.sin(2 * np.pi * rng.uniform(0.9, 1.3) * times + 2 * cardiac_phase)
    respiratory = np.sin(2 * np.pi * rng.uniform(0.2, 0.33) * times + respiratory_phase)
    return CARDIAC * cardiac, RESPIRATORY * respiratory + GLOBAL * waves


def sensitivity(rng: np.random.Generator, points: np.ndarray, strength: float) -> np.ndarray:
    """Draw the bias field of a coil: a quadratic surface around 1, brighter near the edge.

    Parameters
    ----------
    rng : Generator
    points : ndarray, shape (3, n)
        Scanner mm.
    strength : float

    Returns
    -------
    ndarray, shape (n,)
    """
    x = (points - BRAIN_CENTRE[:, None]) / 100
    surface = rng.normal(0, 0.5, 3) @ x + (1 + rng.normal(0, 0.3, 3)) @ x**2
    return np.asarray(1 + strength * np.clip(surface, -1.5, 2))


def drift(
    rng: np.random.Generator, points: np.ndarray, volumes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw scanner drift as a product of time courses (volumes, 4) and smooth maps (4, n)."""
    time = np.linspace(-1, 1, volumes)[:, None]
    # − 1/3 makes the quadratic orthogonal to a constant, so this term does not change the mean.
    shapes = np.concatenate([time, time**2 - 1 / 3, np.sin(np.pi * time)], axis=1)
    maps = np.concatenate([np.ones((1, points.shape[1])), (points - BRAIN_CENTRE[:, None]) / 80])
    return shapes @ rng.normal(0, DRIFT / np.sqrt(3), (3, 4)), maps


def magnitude(rng: np.random.Generator, clean: np.ndarray, sd: float) -> np.ndarray:
    """Add complex Gaussian noise and take the magnitude, which then has a Rice distribution."""
    real, imaginary = sd * rng.standard_normal((2, *clean.shape), dtype=np.float32)
    return np.hypot(clean + real, imaginary)
