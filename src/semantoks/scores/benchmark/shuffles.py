"""Intervals of scores and of their differences from permutations of the phenotype.

Repeated splits train on participants that others test, so their scores rise and fall together,
more than the correction of Nadeau and Bengio assumes. The same splits scored on permuted
phenotypes have this dependence in them. The permutations are the same for all representations, so
the difference of two representations has its dependence in them, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from semantoks.scores.benchmark.comparison import Difference
from semantoks.scores.metrics import RANGES

# With fewer permutations their standard deviation is off by more than a tenth.
MIN_SHUFFLES = 99
QUANTILE = 1.96  # of 95 %


@dataclass(frozen=True)
class ShuffledScore:
    """The mean of a metric over splits, and the same mean for permuted phenotypes.

    Attributes
    ----------
    metric : str
        ``pearson_r`` or ``balanced_accuracy``.
    mean : float
    shuffled_M : ndarray, shape (permutations,)
    """

    metric: str
    mean: float
    shuffled_M: np.ndarray

    @property
    def beyond_chance(self) -> float:
        """Mean without what chance alone may reach: the centre of the effect's uncertainty."""
        centre = float(self.shuffled_M.mean()) if self.metric == "balanced_accuracy" else 0.0
        distance = self.mean - centre
        beyond = max(abs(distance) - QUANTILE * float(self.shuffled_M.std()), 0.0)
        return float(centre + np.sign(distance) * beyond)

    @property
    def factor(self) -> float:
        """How much the score varies, relative to one without effect.

        A correlation varies less the larger it is, by 1 − r², and a share of right answers by
        the root of p (1 − p). Only the part beyond chance enters.
        """
        if self.metric == "pearson_r":
            return 1 - self.beyond_chance**2
        chance, p = float(self.shuffled_M.mean()), float(np.clip(self.beyond_chance, 0, 1))
        return float(np.sqrt(p * (1 - p) / (chance * (1 - chance))))

    def interval(self) -> tuple[float, float]:
        """Compute the 95 % interval of the mean, within the range of the metric."""
        margin = QUANTILE * float(self.shuffled_M.std()) * self.factor
        low, high = np.clip([self.mean - margin, self.mean + margin], *RANGES[self.metric])
        return float(low), float(high)


def _factor_of_difference(first: ShuffledScore, second: ShuffledScore) -> float:
    """Mean factor of both; of correlations with the whole r.

    With an effect the difference of two correlations varies less than their parts beyond chance
    say, and without one r is so small that its square hardly matters (docs/results.md).
    """
    if first.metric == "pearson_r":
        return 1 - (first.mean**2 + second.mean**2) / 2
    return (first.factor + second.factor) / 2


def shuffled_difference(first: ShuffledScore, second: ShuffledScore) -> Difference:
    """Compare two representations by the same permutations of the phenotype.

    The error is nominal without effect and smaller with one (docs/results.md).
    """
    differences_M = first.shuffled_M - second.shuffled_M
    # Around zero and not around their mean: what differs between representations of a phenotype
    # without effect, such as their bias, is no difference in worth.
    deviation = float(np.sqrt((differences_M**2).mean()))
    error = deviation * _factor_of_difference(first, second)
    mean = first.mean - second.mean
    p = float(2 * stats.norm.sf(abs(mean) / error)) if error > 0 else float(mean == 0)
    margin = QUANTILE * error
    return Difference(mean=mean, low=mean - margin, high=mean + margin, p=p, method="shuffles")
