"""Intervals of scores and of their differences from permutations of the phenotype.

Repeated splits train on participants that others test, so their scores rise and fall together,
more than the correction of Nadeau and Bengio assumes. The same splits scored on permuted
phenotypes have this dependence in them. The permutations are the same for all representations, so
the difference of two representations has its dependence in them, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from semantoks.scores.benchmark.comparison import Difference
from semantoks.scores.metrics import RANGES

# Phenotypes that are the same in all members of these. Rows that share a value make the corrected t
# too narrow for every metric (docs/results.md).
WHOLE_GROUPS = ("people", "families")
# With fewer permutations their standard deviation is off by more than a tenth.
MIN_SHUFFLES = 99
QUANTILE = 1.96  # of 95 %
LARGEST_R = 0.999999  # Fisher's z of 1 is infinite


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

    def to_even_scale(self, values: np.ndarray | float) -> np.ndarray:
        """Transform scores of this metric so that they vary alike with and without an effect.

        Fisher's z does it for correlations. Shares of right answers are left as they are, see
        `factor`.
        """
        if self.metric == "pearson_r":
            return np.arctanh(np.clip(values, -LARGEST_R, LARGEST_R))
        return np.asarray(values)

    def interval(self) -> tuple[float, float]:
        """Compute the 95 % interval of the mean, within the range of the metric."""
        margin = QUANTILE * float(self.shuffled_M.std()) * self.factor
        low, high = np.clip([self.mean - margin, self.mean + margin], *RANGES[self.metric])
        return float(low), float(high)


def shuffled_difference(first: ShuffledScore, second: ShuffledScore, baseline: str) -> Difference:
    """Compare a representation with the baseline by the same permutations of the phenotype.

    Without effect a phenotype is exchangeable with its permutations, so the error is nominal; with
    one it is nominal or smaller (docs/results.md).
    """
    mean = first.mean - second.mean
    distance = float(first.to_even_scale(first.mean) - second.to_even_scale(second.mean))
    differences_M = first.to_even_scale(first.shuffled_M) - second.to_even_scale(second.shuffled_M)
    # Around zero and not around their mean: what differs between representations of a phenotype
    # without effect, such as their bias, is no difference in worth.
    error = float(np.sqrt((differences_M**2).mean()))
    if first.metric == "balanced_accuracy":
        error *= (first.factor + second.factor) / 2
    p = float(2 * special.ndtr(-abs(distance) / error)) if error > 0 else float(mean == 0)
    # Back on the scale of the metric, so that the interval has zero in it where p is above 0.05.
    margin = QUANTILE * error * (mean / distance if distance else 1.0)
    low, high = mean - margin, mean + margin
    return Difference(baseline=baseline, mean=mean, low=low, high=high, p=p, method="shuffles")
