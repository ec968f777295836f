"""Participants: their phenotypes, and the effects of these on brain activity.

Effect sizes were fixed before any model was fitted to the data. Each participant has a separate
seed, so a larger data set contains the smaller one unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from semantoks.config import Simulation

Fault = Literal["", "motion", "truncated"]

# `group` affects the coherence within one network and its coupling with another, `trait` affects
# the spectrum of a third.
COHERENCE_NETWORK = "DefaultMode"
COUPLED_NETWORK = "FrontoParietal"
SPECTRUM_NETWORK = "Visual"

COHERENCE = {"control": 0.35, "patient": 0.65}  # share of the network signal in the variance
COUPLING = {"control": -0.2, "patient": 0.3}  # correlation of the two network signals
OTHER_COHERENCE = 0.5
CENTRE_HZ = 0.035  # centre of the spectrum of the signals
TRAIT_EFFECT = 0.35  # change of ln(centre) per standard deviation of `trait`
SD_COHERENCE, SD_COUPLING, SD_LN_CENTRE = 0.05, 0.1, 0.1  # between participants
HEAVY_MOTION = 1.5  # mean framewise displacement in mm


@dataclass(frozen=True)
class Participant:
    """A participant: phenotypes, and parameters of brain activity and head motion.

    Attributes
    ----------
    index : int
        Counted from 0.
    sessions : tuple of str
        BIDS sessions; ``("",)`` for a participant without session folders.
    fault : str
        ``motion``, ``truncated`` or empty.
    age : int
    sex : str
    group : str
    trait : float
    null : str
        A label without any effect.
    coherence : dict of str to float
        Per network, share of the network signal in the variance of a region.
    coupling : float
        Correlation of the signals of `COHERENCE_NETWORK` and `COUPLED_NETWORK`.
    centre_hz : dict of str to float
        Per network, centre of the spectrum in Hz.
    mean_fd : float
        Mean framewise displacement in mm.
    """

    index: int
    sessions: tuple[str, ...]
    fault: Fault
    age: int
    sex: str
    group: str
    trait: float
    null: str
    coherence: dict[str, float]
    coupling: float
    centre_hz: dict[str, float]
    mean_fd: float

    @property
    def label(self) -> str:
        """BIDS label with at least three digits, whatever the number of participants."""
        return f"sub-{self.index + 1:03d}"


def draw_participants(settings: Simulation, networks: list[str]) -> list[Participant]:
    """Draw all participants.

    Parameters
    ----------
    settings : Simulation
        Number of participants, of those with two sessions, whether there are faulty scans, and the
        seed.
    networks : list of str
        Networks that have a common signal.

    Returns
    -------
    list of Participant
        The first ones have two sessions, the next two the faulty scans.
    """
    return [_draw_participant(index, settings, networks) for index in range(settings.participants)]


def _draw_participant(index: int, settings: Simulation, networks: list[str]) -> Participant:
    """Draw one participant; reordering the draws would change every data set."""
    rng = np.random.default_rng([settings.seed, 1, index])
    group, null = _counterbalanced_labels(index, settings.seed)
    trait = round(float(rng.normal(50, 10)), 1)
    coherence = {n: float(rng.normal(OTHER_COHERENCE, SD_COHERENCE)) for n in networks}
    coherence[COHERENCE_NETWORK] += COHERENCE[group] - OTHER_COHERENCE
    ln_centre = {n: float(rng.normal(np.log(CENTRE_HZ), SD_LN_CENTRE)) for n in networks}
    ln_centre[SPECTRUM_NETWORK] += TRAIT_EFFECT * (trait - 50) / 10
    fault = _fault(index, settings)
    return Participant(
        index=index,
        sessions=("ses-1", "ses-2") if index < settings.two_sessions else ("",),
        fault=fault,
        age=int(rng.integers(18, 66)),
        sex="FM"[rng.integers(2)],
        group=group,
        trait=trait,
        null=null,
        coherence=coherence,
        coupling=float(rng.normal(COUPLING[group], SD_COUPLING)),
        centre_hz={n: float(np.exp(x)) for n, x in ln_centre.items()},
        mean_fd=HEAVY_MOTION if fault == "motion" else float(rng.uniform(0.1, 0.25)),
    )


def _counterbalanced_labels(index: int, seed: int) -> tuple[str, str]:
    """Draw `group` and `null`.

    Each block of four participants has every combination once, each pair has both groups.
    """
    flips = np.random.default_rng([seed, 2, index // 4]).integers(2, size=3)
    pair, position = divmod(index % 4, 2)
    group = position ^ int(flips[pair])
    null = group ^ pair ^ int(flips[2])
    return ("control", "patient")[group], ("heads", "tails")[null]


def _fault(index: int, settings: Simulation) -> Fault:
    if not settings.faults:
        return ""
    faults: dict[int, Fault] = {0: "motion", 1: "truncated"}
    return faults.get(index - settings.two_sessions, "")
