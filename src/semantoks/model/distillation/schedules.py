"""Cosine schedules of the loss weights and of the teacher's momentum."""

from __future__ import annotations

import math


def half_cosine(step: float, steps: float) -> float:
    """Decay from 1 at step 0 to 0 at `steps` along half a cosine, and stay at 0."""
    # Also for `steps` 0, such as ttr_fraction 0, where the quotient below is 0 / 0.
    if step >= steps:
        return 0.0
    return (math.cos(math.pi * step / steps) + 1) / 2


def teacher_momentum(step: int, steps: int, initial: float) -> float:
    """Return the momentum of the exponential moving average, which rises from `initial` to 1."""
    return 1 - (1 - initial) * half_cosine(step, steps)
