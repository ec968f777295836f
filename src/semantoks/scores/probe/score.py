"""Score a representation with the protocol that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from semantoks.config import Probe
from semantoks.errors import UserError
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_phenotypes
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.paper import score_windows
from semantoks.scores.probe.problem import PlacedProblem

Windows: TypeAlias = Callable[[PlacedProblem], Sequence[np.ndarray]]


@dataclass(frozen=True)
class Representation:
    """A representation of the participants of some problems, or several together.

    Attributes
    ----------
    name : str
    features : sequence of Features
        One entry per representation that is stacked or combined.
    windows : callable
        Returns the features of the windows of each participant of a problem. They are large, and
        only the protocol of the paper loads them.
    has_confounds : bool
        Whether confounds were given to be regressed out.
    combined : bool
        Whether the kernels of several are summed; otherwise they are stacked.
    """

    name: str
    features: Sequence[Features]
    windows: Windows
    has_confounds: bool = False
    combined: bool = False


class ScoringProtocol(Protocol):
    """A function that scores a representation on some problems."""

    def __call__(
        self, problems: Sequence[PlacedProblem], representation: Representation, settings: Probe
    ) -> list[ProbeResult]:
        """Fit on every split and score the test participants."""


def _exact(
    problems: Sequence[PlacedProblem], representation: Representation, settings: Probe
) -> list[ProbeResult]:
    return score_phenotypes(
        problems, representation.features, settings, combined=representation.combined
    )


def _paper(
    problems: Sequence[PlacedProblem], representation: Representation, settings: Probe
) -> list[ProbeResult]:
    """Check that the protocol of the paper applies, then score the windows."""
    # The paper trains on windows, while projections and confounds are fitted per participant.
    first = representation.features[0]
    if len(representation.features) > 1 or first.projection or representation.has_confounds:
        raise UserError(
            "`probe.protocol: paper` supports no stacking, no combining, no confound regression "
            f"and no projection that is fitted first, so it cannot score {representation.name}. "
            "Use `probe.protocol: exact`."
        )
    return [
        score_windows(placed.problem, representation.windows(placed), settings)
        for placed in problems
    ]


PROTOCOLS: dict[str, ScoringProtocol] = {"exact": _exact, "paper": _paper}


def score(
    problems: Sequence[PlacedProblem], representation: Representation, settings: Probe
) -> list[ProbeResult]:
    """Score a representation with the protocol of the settings.

    Parameters
    ----------
    problems : sequence of PlacedProblem
    representation : Representation
    settings : Probe

    Returns
    -------
    list of ProbeResult
        One per problem.

    Raises
    ------
    UserError
        When the protocol does not apply to a problem or to the representation.
    """
    return PROTOCOLS[settings.protocol](problems, representation, settings)
