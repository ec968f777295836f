"""Versions of a representation, of which the probe takes the best inside the training part.

Both are fitted with the same inner folds, and the fit with less inner loss is used: the version is
chosen together with the strength. Every permutation of the phenotype repeats the choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from semantoks.scores.probe.features import Features
from semantoks.scores.probe.fit import ProbeFit
from semantoks.scores.probe.permutation import SplitScores
from semantoks.scores.represent.projections import ALTERNATIVES

# Factor of the inner loss of the lesser blocks. With few labels, losses differ by chance, and what
# is in all blocks together would often be looked for in these alone.
HANDICAP = 1 / 0.9


class Version(NamedTuple):
    """A version of representations, and the factor of its inner loss in the choice."""

    stack: Sequence[Sequence[Features]]
    handicap: float = 1.0


@dataclass(frozen=True)
class CandidateFit:
    """A fit of one version, and its scores of permutations where it is tested."""

    fit: ProbeFit
    permuted: SplitScores | None
    handicap: float = 1.0


def versions_of(stack: Sequence[Sequence[Features]]) -> Iterator[Version]:
    """Yield the representations as they are, and the other version of one that has two.

    Tangent connectivity is also shrunk. Of blocks whose weights differ, the lesser ones also stand
    alone, with equal weights: a phenotype that is in one of them alone would drown in the others.
    They are taken if their inner loss is less by a tenth.
    In a row of several representations each has its first version only: to fit every combination
    would take too long.
    """
    yield Version(stack)
    first, *others = (part for parts in stack for part in parts)
    if others:
        return
    if first.projection in ALTERNATIVES:
        yield Version([[replace(first, projection=ALTERNATIVES[first.projection])]])
    largest = max((block.weight for block in first.blocks), default=0.0)
    lesser = [block._replace(weight=float(block.weight < largest)) for block in first.blocks]
    if any(block.weight for block in lesser):
        yield Version([[replace(first, blocks=tuple(lesser))]], HANDICAP)


def least_loss(candidates: Sequence[CandidateFit]) -> CandidateFit:
    """Choose the fit of least inner loss, the first of equals, and do so for each permutation."""
    fit = min(candidates, key=lambda c: c.handicap * c.fit.inner_loss).fit
    tested = [c for c in candidates if c.permuted is not None]
    permuted = [c.permuted for c in tested if c.permuted is not None]
    handicaps = [c.handicap for c in tested]
    return CandidateFit(fit, choose_per_permutation(permuted, handicaps) if permuted else None)


def choose_per_permutation(
    candidates: Sequence[SplitScores], handicaps: Sequence[float] | None = None
) -> SplitScores:
    """Take of each permutation on a split the scores of the candidate of least loss.

    With the choice of the real phenotype, its permutations would not be exchangeable with it.
    """
    if len(candidates) == 1:
        return candidates[0]
    factors = handicaps or [1.0] * len(candidates)
    losses = [f * scores.loss_M for f, scores in zip(factors, candidates, strict=True)]
    best_M = np.argmin(losses, axis=0)

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
