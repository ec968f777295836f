"""Whether a representation says the same of a person twice."""

from __future__ import annotations

import numpy as np


def identification(first_PF: np.ndarray, second_PF: np.ndarray) -> float:
    """Share of people whose two sessions correlate most with each other, mean of both directions.

    Source: Finn et al. 2015, doi:10.1038/nn.4135. Features that anybody lacks are left out.
    """
    known = np.isfinite(first_PF).all(axis=0) & np.isfinite(second_PF).all(axis=0)
    parts = []
    for rows in (first_PF[:, known], second_PF[:, known]):
        centred = rows - rows.mean(axis=1, keepdims=True)
        parts.append(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12))
    alike = parts[0] @ parts[1].T
    own = np.arange(len(alike))
    return float(np.mean([(alike.argmax(axis=axis) == own).mean() for axis in (0, 1)]))


def icc(first_PF: np.ndarray, second_PF: np.ndarray) -> np.ndarray:
    """ICC(3,1) of each feature over two sessions: consistency of single measurements.

    Source: Shrout & Fleiss 1979, doi:10.1037/0033-2909.86.2.420. NaN where nothing varies.
    """
    people = len(first_PF)
    total = np.stack([first_PF, second_PF])
    between = 2 * total.mean(axis=0).var(axis=0, ddof=1)
    residual = total - total.mean(axis=1, keepdims=True) - (total.mean(axis=0) - total.mean((0, 1)))
    within = (residual**2).sum(axis=(0, 1)) / (people - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((between - within) / (between + within))
