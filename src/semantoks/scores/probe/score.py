"""Score a representation with the protocol that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.paper import score_windows
from semantoks.scores.probe.problem import Problem


@dataclass(frozen=True)
class Representation:
    """A representation of the participants of a problem, or several together.

    Attributes
    ----------
    name : str
    features : sequence of Features
        One entry per representation that is stacked or combined.
    windows : callable
        Returns the features of the windows of each participant. They are large, and only the
        protocol of the paper loads them.
    has_confounds : bool
        Whether confounds were given to be regressed out.
    combined : bool
        Whether the kernels of several are summed; otherwise they are stacked.
    """

    name: str
    features: Sequence[Features]
    windows: Callable[[], Sequence[np.ndarray]]
    has_confounds: bool = False
    combined: bool = False


class ScoringProtocol(Protocol):
    """A function that scores a representation on a problem."""

    def __call__(
        self, problem: Problem, representation: Representation, settings: Probe
    ) -> ProbeResult:
        """Fit on every split and score the test participants."""


def _exact(problem: Problem, representation: Representation, settings: Probe) -> ProbeResult:
    return score_features(
        problem, representation.features, settings, combined=representation.combined
    )


def _paper(problem: Problem, representation: Representation, settings: Probe) -> ProbeResult:
    """Check that the protocol of the paper applies, then score the windows."""
    # The paper trains on windows, while projections and confounds are fitted per participant.
    first = representation.features[0]
    if len(representation.features) > 1 or first.projection or representation.has_confounds:
        raise UserError(
            "`probe.protocol: paper` supports no stacking, no combining, no confound regression "
            f"and no projection that is fitted first, so it cannot score {representation.name}. "
            "Use `probe.protocol: exact`."
        )
    return score_windows(problem, representation.windows(), settings)


PROTOCOLS: dict[str, ScoringProtocol] = {"exact": _exact, "paper": _paper}


def score(problem: Problem, representation: Representation, settings: Probe) -> ProbeResult:
    """Score a representation with the protocol of the settings.

    Parameters
    ----------
    problem : Problem
    representation : Representation
    settings : Probe

    Returns
    -------
    ProbeResult

    Raises
    ------
    UserError
        When the protocol does not apply to the problem or to the representation.
    """
    return PROTOCOLS[settings.protocol](problem, representation, settings)
