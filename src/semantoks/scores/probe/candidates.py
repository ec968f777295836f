"""Versions of a representation, of which the probe takes the best inside the training part.

Both are fitted with the same inner folds, and the fit with less inner loss is used: the version is
chosen together with the strength. Every permutation of the phenotype repeats the choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semantoks.scores.probe.features import Features
from semantoks.scores.probe.fit import ProbeFit
from semantoks.scores.probe.permutation import SplitScores
from semantoks.scores.represent.projections import ALTERNATIVES


@dataclass(frozen=True)
class CandidateFit:
    """A fit of one version, and its scores of permutations where it is tested."""

    fit: ProbeFit
    permuted: SplitScores | None


def versions_of(stack: Sequence[Sequence[Features]]) -> Iterator[Sequence[Sequence[Features]]]:
    """Yield the representations as they are, and the other version of one that has two.

    In a row of several representations each has its first version only: to fit every combination
    would take too long.
    """
    yield stack
    first, *others = (part for parts in stack for part in parts)
    if not others and first.projection in ALTERNATIVES:
        yield [[replace(first, projection=ALTERNATIVES[first.projection])]]


def least_loss(candidates: Sequence[CandidateFit]) -> CandidateFit:
    """Choose the fit of least inner loss, the first of equals, and do so for each permutation."""
    fit = min((candidate.fit for candidate in candidates), key=lambda fit: fit.inner_loss)
    permuted = [candidate.permuted for candidate in candidates if candidate.permuted is not None]
    return CandidateFit(fit, choose_per_permutation(permuted) if permuted else None)


def choose_per_permutation(candidates: Sequence[SplitScores]) -> SplitScores:
    """Take of each permutation on a split the scores of the candidate of least loss.

    With the choice of the real phenotype, its permutations would not be exchangeable with it.
    """
    if len(candidates) == 1:
        return candidates[0]
    best_M = np.argmin([scores.loss_M for scores in candidates], axis=0)

    def chosen(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.take_along_axis(np.stack(values), best_M[None], axis=0)[0]

    # Whether a split has a primary metric depends on the split alone.
    primary = [scores.primary_M for scores in candidates if scores.primary_M is not None]
    return SplitScores(
        candidates[0].split,
        chosen([scores.loss_M for scores in candidates]),
        chosen([scores.score_M for scores in candidates]),
        chosen(primary) if len(primary) == len(candidates) else None,
    )
