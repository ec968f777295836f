"""Who takes part: phenotypes, and what each of them plants in the brain.

Effect sizes were fixed before anything was fitted to the data. Every person is drawn from a seed
of their own, so that adding participants changes nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from semantoks.config import Simulation

Fault = Literal["", "motion", "truncated"]

COHERENCE_NETWORK = "DefaultMode"  # `group` changes how much its regions share …
COUPLED_NETWORK = "FrontoParietal"  # … and how its signal goes with this network's
SPECTRUM_NETWORK = "Visual"  # `trait` shifts the frequencies of this one

COHERENCE = {"control": 0.35, "patient": 0.65}  # share of the network signal in the variance
COUPLING = {"control": -0.2, "patient": 0.3}  # correlation of the two network signals
OTHER_COHERENCE = 0.5
CENTRE_HZ = 0.035  # centre of the spectrum of the signals
TRAIT_EFFECT = 0.35  # change of ln(centre) per standard deviation of `trait`
SD_COHERENCE, SD_COUPLING, SD_LN_CENTRE = 0.05, 0.1, 0.1  # differences between people
HEAVY_MOTION = 1.5  # mean framewise displacement in mm


@dataclass(frozen=True)
class Person:
    """One participant: phenotypes, and parameters of brain activity and head motion."""

    index: int
    sessions: tuple[str, ...]  # ("",) stands for a person without session folders
    fault: Fault
    age: int
    sex: str
    group: str
    trait: float
    null: str
    coherence: dict[str, float]  # network → share of the network signal in a region's variance
    coupling: float  # correlation of COHERENCE_NETWORK and COUPLED_NETWORK
    centre_hz: dict[str, float]  # network → centre of its spectrum
    mean_fd: float  # framewise displacement aimed at, mm

    @property
    def label(self) -> str:
        """BIDS id; always three digits, so that ids do not depend on how many people there are."""
        return f"sub-{self.index + 1:03d}"


def draw_people(settings: Simulation, networks: list[str]) -> list[Person]:
    """Draw all participants.

    Parameters
    ----------
    settings
        How many people, how many of them with two sessions or a faulty scan, and the seed.
    networks
        Names of the networks that have a signal of their own.

    Returns
    -------
    list of Person
        The first ones come twice, the next two have the faulty scans.
    """
    return [_draw_person(index, settings, networks) for index in range(settings.participants)]


def _draw_person(index: int, settings: Simulation, networks: list[str]) -> Person:
    rng = np.random.default_rng([settings.seed, 1, index])
    group, null = _counterbalanced(index, settings.seed)
    trait = round(float(rng.normal(50, 10)), 1)
    coherence = {n: float(rng.normal(OTHER_COHERENCE, SD_COHERENCE)) for n in networks}
    coherence[COHERENCE_NETWORK] += COHERENCE[group] - OTHER_COHERENCE
    ln_centre = {n: float(rng.normal(np.log(CENTRE_HZ), SD_LN_CENTRE)) for n in networks}
    ln_centre[SPECTRUM_NETWORK] += TRAIT_EFFECT * (trait - 50) / 10
    fault = _fault(index, settings)
    return Person(
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


def _counterbalanced(index: int, seed: int) -> tuple[str, str]:
    """Group and null: in every four people each combination once, in every two both groups."""
    flips = np.random.default_rng([seed, 2, index // 4]).integers(2, size=3)
    pair, place = divmod(index % 4, 2)
    group = place ^ int(flips[pair])
    null = group ^ pair ^ int(flips[2])
    return ("control", "patient")[group], ("heads", "tails")[null]


def _fault(index: int, settings: Simulation) -> Fault:
    if not settings.faults:
        return ""
    faults: dict[int, Fault] = {0: "motion", 1: "truncated"}
    return faults.get(index - settings.two_sessions, "")
