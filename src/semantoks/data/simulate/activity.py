"""What the brain does: a haemodynamically slow signal for every region of the Seitzman atlas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from nilearn.datasets import fetch_coords_seitzman_2018

from semantoks.data.simulate.people import COHERENCE_NETWORK, COUPLED_NETWORK, Person

STEP = 0.5  # seconds between samples of the activity, before it is scanned
WIDTH = 0.6  # standard deviation of the spectrum over ln(frequency)
SHARED = 0.1  # part of every network's signal that all networks have in common
UNASSIGNED = "unassigned"  # regions of no network: a signal of their own only


@dataclass(frozen=True)
class Regions:
    """Centres (regions × 3, MNI mm), radii (mm) and network names of the atlas."""

    centres: np.ndarray
    radii: np.ndarray
    networks: np.ndarray

    @property
    def network_names(self) -> list[str]:
        """Names of the networks, without the regions that belong to none."""
        return sorted(set(self.networks.tolist()) - {UNASSIGNED})


@lru_cache(maxsize=1)
def load_regions() -> Regions:
    """Load the 300 regions of Seitzman et al. (2020), which nilearn carries along."""
    atlas = fetch_coords_seitzman_2018()
    centres = atlas.rois[["x", "y", "z"]].to_numpy(dtype=float)
    return Regions(centres, np.asarray(atlas.radius, float), np.asarray(atlas.networks, str))


def slow_noise(rng: np.random.Generator, centre_hz: np.ndarray, seconds: float) -> np.ndarray:
    """Noise with a log-normal spectrum: it falls like 1/f above its centre.

    Parameters
    ----------
    rng
        Source of randomness.
    centre_hz
        Centre of the spectrum of each signal in Hz, shape (signals,).
    seconds
        Length.

    Returns
    -------
    ndarray, shape (signals, times)
        Signals of unit expected variance, sampled every ``STEP`` seconds.
    """
    n = int(np.ceil(seconds / STEP)) + 2
    longer = 2 * n  # the Fourier basis is periodic: end and start must not be neighbours
    frequency = np.fft.rfftfreq(longer, STEP)[1:]
    distance = np.log(frequency / np.asarray(centre_hz)[:, None])
    amplitude = np.exp(-(distance**2) / (4 * WIDTH**2))
    amplitude /= np.sqrt(2 * (amplitude**2).sum(1, keepdims=True)) / longer
    shape = (len(centre_hz), len(frequency))
    phases = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    spectrum = np.concatenate([np.zeros((shape[0], 1)), amplitude * phases], axis=1)
    return np.fft.irfft(spectrum, longer, axis=1)[:, :n]


def region_signals(
    rng: np.random.Generator, person: Person, regions: Regions, seconds: float
) -> np.ndarray:
    """Draw the activity of every region in one run.

    Parameters
    ----------
    rng
        Source of randomness of this run.
    person
        Whose coherence, coupling and spectra to use.
    regions
        The atlas.
    seconds
        Length of the run.

    Returns
    -------
    ndarray, shape (regions, times)
        Unit expected variance, sampled every ``STEP`` seconds.
    """
    names = regions.network_names
    networks = _network_signals(rng, person, names, seconds)
    centres = np.array([person.centre_hz.get(n, np.nan) for n in regions.networks])
    own = slow_noise(rng, np.nan_to_num(centres, nan=np.nanmean(centres)), seconds)
    share = np.array([person.coherence.get(n, 0.0) for n in regions.networks])[:, None]
    row = [names.index(n) if n in names else 0 for n in regions.networks]
    return np.sqrt(share) * networks[row] + np.sqrt(1 - share) * own


def _network_signals(
    rng: np.random.Generator, person: Person, names: list[str], seconds: float
) -> np.ndarray:
    centres = np.array([person.centre_hz[n] for n in names])
    common = slow_noise(rng, np.array([np.median(centres)]), seconds)
    signals = np.sqrt(1 - SHARED) * slow_noise(rng, centres, seconds) + np.sqrt(SHARED) * common
    source, coupled = names.index(COHERENCE_NETWORK), names.index(COUPLED_NETWORK)
    # The part in common is replaced too, so that the correlation is the one that was planted.
    own = slow_noise(rng, centres[[coupled]], seconds)[0]
    rho = person.coupling
    signals[coupled] = rho * signals[source] + np.sqrt(1 - rho**2) * own
    return signals


def sample(signals: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Read signals at given times (s, any shape); returns (signals, …)."""
    left = np.clip((times / STEP).astype(int), 0, signals.shape[1] - 2)
    part = times / STEP - left
    return signals[:, left] * (1 - part) + signals[:, left + 1] * part
