"""What is read from each region of a scan by itself: amplitude and spectrum."""

from __future__ import annotations

import numpy as np

from semantoks.artifacts.timeseries import Manifest
from semantoks.connectivity.reference import regions_with_data

BANDS = 4
# Limits in Hz where the time series were not filtered; haemodynamics are slower than 0.1 Hz.
LOWEST_HZ, HIGHEST_HZ = 0.01, 0.1
# Of all power, the least share that is told from none: its logarithm has to be finite.
_SMALLEST_SHARE = 1e-6


def centred_amplitude(amplitude_C: np.ndarray) -> np.ndarray:
    """Return log standard deviations without their mean over the regions of the scan.

    The mean holds what scales a whole scan, such as the gain of the scanner.

    Parameters
    ----------
    amplitude_C : ndarray, shape (regions,)
        NaN for a region without data, which stays NaN.
    """
    known_C = np.isfinite(amplitude_C)
    centre = amplitude_C[known_C].mean(dtype=float) if known_C.any() else 0.0
    return np.where(known_C, amplitude_C - centre, np.nan)


def band_edges(manifest: Manifest) -> np.ndarray:
    """Return the edges of the bands in Hz: equally wide, within the band-pass of the time series.

    Without a high-pass they begin at 0.01 Hz, without a low-pass they end at 0.1 Hz; never above
    the Nyquist frequency.
    """
    low = LOWEST_HZ if manifest.high_pass is None else manifest.high_pass
    high = HIGHEST_HZ if manifest.low_pass is None else manifest.low_pass
    return np.linspace(low, min(high, 0.5 / manifest.tr), BANDS + 1)


def spectrum(timeseries_CT: np.ndarray, tr: float, edges: np.ndarray) -> np.ndarray:
    """Return the log share of power of each region in each band.

    The power of a band is the mean over its frequencies in the periodogram, as is that of all
    bands together: how many there are, and so the length of the scan, does not matter.

    Parameters
    ----------
    timeseries_CT : ndarray, shape (regions, volumes)
    tr : float
        Repetition time in seconds.
    edges : ndarray, shape (bands + 1,)
        See `band_edges`.

    Returns
    -------
    ndarray, shape (regions · bands,)
        Region by region. NaN where a region has no data, or a band no frequency, as of short
        scans.
    """
    known_C = regions_with_data(timeseries_CT)
    known_KT = timeseries_CT[known_C].astype(float)
    # Not padded with zeros: the frequencies are whole cycles, and a mean does not leak into them.
    power_KQ = np.abs(np.fft.rfft(known_KT, axis=1)) ** 2
    # Rounded, so that a frequency at an edge does not fall to either side of it by rounding.
    hertz_Q = np.fft.rfftfreq(timeseries_CT.shape[1], tr).round(9)
    edges = edges.round(9)
    band_Q = np.searchsorted(edges, hertz_Q, side="right") - 1
    band_Q[hertz_Q == edges[-1]] = len(edges) - 2
    inside_Q = (band_Q >= 0) & (band_Q < len(edges) - 1)
    share_CB = np.full((len(known_C), len(edges) - 1), np.nan)
    if not inside_Q.any():
        return share_CB.ravel()
    total_K = power_KQ[:, inside_Q].mean(axis=1).clip(np.finfo(float).tiny)
    for band in np.unique(band_Q[inside_Q]):
        mean_K = power_KQ[:, band_Q == band].mean(axis=1)
        share_K = mean_K / total_K / (len(edges) - 1)
        share_CB[known_C, band] = np.log(share_K.clip(_SMALLEST_SHARE))
    return share_CB.ravel()
