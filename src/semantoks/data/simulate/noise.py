"""What lies over the signal: body, scanner and thermal noise."""

from __future__ import annotations

import numpy as np

from semantoks.data.simulate.activity import sample, slow_noise
from semantoks.data.simulate.anatomy import BRAIN_CENTRE

# Standard deviations as fractions of the local intensity.
CARDIAC, RESPIRATORY, GLOBAL, DRIFT = 0.02, 0.005, 0.003, 0.01


def body_noise(
    rng: np.random.Generator, times: np.ndarray, seconds: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the pulse (felt in fluid), and breathing with slow waves (felt everywhere).

    Both are aliased by the scanner, as in life. ``times`` (s) of any shape; two such arrays.
    """
    pulse, breath, waves = sample(slow_noise(rng, np.full(3, 0.03), seconds), times)
    cardiac = np.sin(2 * np.pi * rng.uniform(0.9, 1.3) * times + 2 * pulse)
    breathing = np.sin(2 * np.pi * rng.uniform(0.2, 0.33) * times + breath)
    return CARDIAC * cardiac, RESPIRATORY * breathing + GLOBAL * waves


def sensitivity(rng: np.random.Generator, points: np.ndarray, strength: float) -> np.ndarray:
    """Draw a coil: a smooth quadratic surface about 1, brighter near the edge.

    Points are scanner mm (3, n); returns (n,).
    """
    x = (points - BRAIN_CENTRE[:, None]) / 100
    surface = rng.normal(0, 0.5, 3) @ x + (1 + rng.normal(0, 0.3, 3)) @ x**2
    return np.asarray(1 + strength * np.clip(surface, -1.5, 2))


def drift(
    rng: np.random.Generator, points: np.ndarray, volumes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a slow drift as time courses (volumes, 4) times smooth maps (4, n)."""
    time = np.linspace(-1, 1, volumes)[:, None]
    shapes = np.concatenate([time, time**2 - 1 / 3, np.sin(np.pi * time)], axis=1)
    maps = np.concatenate([np.ones((1, points.shape[1])), (points - BRAIN_CENTRE[:, None]) / 80])
    return shapes @ rng.normal(0, DRIFT / np.sqrt(3), (3, 4)), maps


def magnitude(rng: np.random.Generator, clean: np.ndarray, noise: float) -> np.ndarray:
    """Add complex thermal noise of this standard deviation and take the magnitude (Rice)."""
    real, imaginary = noise * rng.standard_normal((2, *clean.shape), dtype=np.float32)
    return np.hypot(clean + real, imaginary)
