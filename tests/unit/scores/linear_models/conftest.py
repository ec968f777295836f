"""Random problems of different shape, with classes of different size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STRENGTHS = np.array([1e2, 1.0, 1e-2, 1e-4, 1e-5])
# participants, features, classes: more participants than features, about as many, fewer
SHAPES = [(120, 8, 2), (90, 80, 2), (60, 300, 2), (120, 8, 3), (60, 200, 4), (40, 1, 2)]


class RandomProblem(NamedTuple):
    train: np.ndarray
    held: np.ndarray
    codes: np.ndarray
    signal: np.ndarray


def random_problem(participants: int, features: int, classes: int) -> RandomProblem:
    rng = np.random.default_rng([participants, features, classes])
    train, held = (rng.standard_normal((n, features)) * 3 + 1 for n in (participants, 25))
    signal = train[:, :2].sum(axis=1) + 2 * rng.standard_normal(participants)
    codes = np.searchsorted(np.quantile(signal, np.arange(1, classes) / classes), signal)
    codes[: participants // 5] = 0
    return RandomProblem(train, held, codes, signal)
