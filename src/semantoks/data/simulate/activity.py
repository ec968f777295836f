"""Brain activity: a slow BOLD signal for every region of the Seitzman atlas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from nilearn.datasets import fetch_coords_seitzman_2018

from semantoks.data.simulate.participants import COHERENCE_NETWORK, COUPLED_NETWORK, Participant

STEP = 0.5  # seconds between samples of the activity
WIDTH = 0.6  # standard deviation of the spectrum over ln(frequency)
SHARED = 0.1  # share of a network's variance that is common to all networks
UNASSIGNED = "unassigned"  # regions that belong to no network and share no signal


@dataclass(frozen=True)
class Regions:
    """Regions of the atlas.

    Attributes
    ----------
    centres : ndarray, shape (regions, 3)
        MNI mm.
    radii : ndarray, shape (regions,)
        mm.
    networks : ndarray of str, shape (regions,)
    """

    centres: np.ndarray
    radii: np.ndarray
    networks: np.ndarray

    @property
    def network_names(self) -> list[str]:
        """Sorted names of the networks, without `UNASSIGNED`."""
        return sorted(set(self.networks.tolist()) - {UNASSIGNED})


@lru_cache(maxsize=1)
def load_regions() -> Regions:
    """Load the 300 regions of Seitzman et al. (2020), which are packaged with nilearn."""
    atlas = fetch_coords_seitzman_2018()
    centres = atlas.rois[["x", "y", "z"]].to_numpy(dtype=float)
    return Regions(centres, np.asarray(atlas.radius, float), np.asarray(atlas.networks, str))


def slow_noise(rng: np.random.Generator, centre_hz: np.ndarray, seconds: float) -> np.ndarray:
    """Draw Gaussian noise with a log-normal spectrum.

    Parameters
    ----------
    rng : Generator
    centre_hz : ndarray, shape (signals,)
        Centre of the spectrum of each signal in Hz.
    seconds : float
        Duration.

    Returns
    -------
    ndarray, shape (signals, times)
        Signals of unit expected variance, sampled every `STEP` seconds.
    """
    n = int(np.ceil(seconds / STEP)) + 2
    # The inverse FFT is periodic; dropping half of it decorrelates the end from the beginning.
    n_fft = 2 * n
    # Without frequency 0, whose logarithm is infinite.
    frequency = np.fft.rfftfreq(n_fft, STEP)[1:]
    distance = np.log(frequency / np.asarray(centre_hz)[:, None])
    # Amplitude is the square root of power, hence 4 instead of 2.
    amplitude = np.exp(-(distance**2) / (4 * WIDTH**2))
    # Parseval: each frequency of a real signal adds a variance of 2 · (amplitude / n_fft)².
    amplitude /= np.sqrt(2 * (amplitude**2).sum(1, keepdims=True)) / n_fft
    shape = (len(centre_hz), len(frequency))
    phases = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    spectrum = np.concatenate([np.zeros((shape[0], 1)), amplitude * phases], axis=1)
    return np.fft.irfft(spectrum, n_fft, axis=1)[:, :n]


def region_signals(
    rng: np.random.Generator, participant: Participant, regions: Regions, seconds: float
) -> np.ndarray:
    """Draw the activity of every region in one run.

    A region's signal is a weighted sum of the signal of its network and an independent signal.

    Parameters
    ----------
    rng : Generator
        Random numbers of this run.
    participant : Participant
        Provides coherence, coupling and spectra.
    regions : Regions
    seconds : float
        Duration of the run.

    Returns
    -------
    ndarray, shape (regions, times)
        Unit expected variance, sampled every `STEP` seconds.
    """
    names = regions.network_names
    networks = _network_signals(rng, participant, names, seconds)
    centres = np.array([participant.centre_hz.get(n, np.nan) for n in regions.networks])
    independent = slow_noise(rng, np.nan_to_num(centres, nan=np.nanmean(centres)), seconds)
    share = np.array([participant.coherence.get(n, 0.0) for n in regions.networks])[:, None]
    row = [names.index(n) if n in names else 0 for n in regions.networks]
    # Square roots, because variances add up to 1 and not amplitudes.
    return np.sqrt(share) * networks[row] + np.sqrt(1 - share) * independent


def _network_signals(
    rng: np.random.Generator, participant: Participant, names: list[str], seconds: float
) -> np.ndarray:
    """Draw the signals of the networks, shape (networks, times), with the planted coupling."""
    centres = np.array([participant.centre_hz[n] for n in names])
    common = slow_noise(rng, np.array([np.median(centres)]), seconds)
    signals = np.sqrt(1 - SHARED) * slow_noise(rng, centres, seconds) + np.sqrt(SHARED) * common
    source, coupled = names.index(COHERENCE_NETWORK), names.index(COUPLED_NETWORK)
    # Replaces the whole signal of the coupled network: a share of the common signal would add to
    # the correlation with the source.
    independent = slow_noise(rng, centres[[coupled]], seconds)[0]
    rho = participant.coupling
    signals[coupled] = rho * signals[source] + np.sqrt(1 - rho**2) * independent
    return signals


def sample(signals: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Interpolate signals linearly.

    Parameters
    ----------
    signals : ndarray, shape (signals, samples)
        Sampled every `STEP` seconds.
    times : ndarray
        Seconds, of any shape.

    Returns
    -------
    ndarray, shape (signals, ...), with the shape of `times`
    """
    left = np.clip((times / STEP).astype(int), 0, signals.shape[1] - 2)
    fraction = times / STEP - left
    return signals[:, left] * (1 - fraction) + signals[:, left + 1] * fraction
