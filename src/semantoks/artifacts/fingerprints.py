"""Fingerprints of a scan: what of a recording survives scaling, cropping and small noise.

A hash of the time series recognises a copy to the last digit only. Two short summaries recognise it
after a change of units, a new export, a crop or another denoising as well:

- of connectivity, the same for any part of a recording and similar in all recordings of a person:
  it finds the scans that are worth a closer look among tens of thousands;
- over time, different in any two recordings, be they of the same person: it decides.

Both are stored as bytes, so that the table of 40,000 scans stays small.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

CONNECTIVITY, OVER_TIME = "connectivity_fingerprint", "temporal_fingerprint"
FINGERPRINTS = (CONNECTIVITY, OVER_TIME)

_MIXTURES_OF_REGIONS = 22  # 22 · 23 / 2 = 253 numbers
_SIGNALS = 8
_LARGEST_R = 0.999  # Fisher's z of two copies of a signal must not outweigh all other pairs


def connectivity_fingerprint(timeseries_CT: np.ndarray) -> bytes:
    """Project the connectivity between regions on a fixed random matrix.

    The mean of all regions is regressed out before. This is so for every scan, and a second time it
    changes nothing, so a copy with global-signal regression has the same fingerprint.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored; a region without data is NaN.

    Returns
    -------
    bytes
        253 numbers in half precision: W Z Wᵀ, where Z is the Fisher z of the correlations. A random
        projection keeps distances (Johnson & Lindenstrauss 1984).
    """
    known = np.isfinite(timeseries_CT).all(axis=1)
    values_CT = np.asarray(timeseries_CT[known], float)
    global_T = values_CT.mean(axis=0)
    values_CT = values_CT - np.outer(values_CT @ global_T, global_T) / max(
        global_T @ global_T, 1e-12
    )
    z_CC = np.zeros((len(known), len(known)))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.nan_to_num(np.atleast_2d(np.corrcoef(values_CT)))
    z_CC[np.ix_(known, known)] = np.arctanh(np.clip(correlations, -_LARGEST_R, _LARGEST_R))
    np.fill_diagonal(z_CC, 0)
    weights_KC = _weights(_MIXTURES_OF_REGIONS, len(known))
    projected_KK = weights_KC @ z_CC @ weights_KC.T
    return projected_KK[np.triu_indices(_MIXTURES_OF_REGIONS)].astype(np.float16).tobytes()


def temporal_fingerprint(timeseries_CT: np.ndarray) -> bytes:
    """Project the time series on a few random mixtures of regions.

    The weights of a mixture sum to zero, so that the global signal, which many denoise and many do
    not, has little part in it.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
        z-scored; a region without data is NaN.

    Returns
    -------
    bytes
        Eight signals in steps of 1/127 of their largest value, one after the other.
    """
    weights_KC = _weights(_SIGNALS, len(timeseries_CT))
    weights_KC = weights_KC - weights_KC.mean(axis=1, keepdims=True)
    signals_KT = weights_KC @ np.nan_to_num(np.asarray(timeseries_CT, float))
    scale = max(float(np.abs(signals_KT).max()), 1e-12)
    return np.round(127 * signals_KT / scale).astype(np.int8).tobytes()


def read_connectivity(fingerprint: bytes) -> np.ndarray:
    """Read what `connectivity_fingerprint` wrote: float32, shape (253,)."""
    return np.frombuffer(fingerprint, np.float16).astype(np.float32)


def read_signals(fingerprint: bytes) -> np.ndarray:
    """Read what `temporal_fingerprint` wrote: float32, shape (8, volumes)."""
    return np.frombuffer(fingerprint, np.int8).astype(np.float32).reshape(_SIGNALS, -1)


@lru_cache(maxsize=4)
def _weights(rows: int, regions: int) -> np.ndarray:
    """Return fixed random weights; the same for every scan of an atlas."""
    rng = np.random.default_rng([rows, regions])
    return rng.standard_normal((rows, regions)) / np.sqrt(regions)
