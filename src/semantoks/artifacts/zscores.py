"""z-scores of regional signals, and the deviation that they take away."""

from __future__ import annotations

import numpy as np

EPSILON = 1e-8


def zscore(signals_CT: np.ndarray) -> np.ndarray:
    """z-score each region over time; a constant region becomes NaN."""
    centred = signals_CT - signals_CT.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    scores: np.ndarray = centred / (deviation + EPSILON)
    # NaN marks a region without data; zeros would be taken for a measured signal.
    scores[deviation[:, 0] <= EPSILON] = np.nan
    return scores


def log_deviation(signals_CT: np.ndarray) -> np.ndarray:
    """Return the log standard deviation of each region; NaN where `zscore` is."""
    deviation_C = (signals_CT - signals_CT.mean(axis=1, keepdims=True)).std(axis=1)
    return np.log(np.where(deviation_C > EPSILON, deviation_C, np.nan))
