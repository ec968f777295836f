"""Steps of scores that do not tell of how many participants a score is the share.

An accuracy over splits is a multiple of 1 / (splits · test participants): with few of them, its
decimals tell how many. Scores are therefore rounded to steps that are at least as large as those of
the smallest number of participants that is rounded to the same number. Then every step is possible
for each of these numbers. The steps are far below the error of a score of so few participants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from semantoks.report.privacy import MIN_CELL_SIZE, rounded
from semantoks.scores.benchmark.comparison import (
    Comparison,
    Difference,
    Row,
    SchemeResult,
    Summary,
)
from semantoks.scores.metrics import CLASSIFICATION, CORRELATIONS

STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
DECIMALS = 3  # of scores that are no shares, such as r


def step(trials: float) -> float:
    """Smallest step that is not smaller than one of so many trials."""
    return next((step for step in STEPS if step * trials >= 1), STEPS[-1])


def step_of(people: float, splits: int = 1) -> float:
    """Step of a share of test participants, from their rounded number and the number of splits."""
    return step(_fewest(people) * splits)


def step_of_r_interval(people: float) -> float:
    """Step of the ends of an interval of r, from the number of participants who are tested.

    Permuted r has a spread of about 1 / √n, which changes by 5 / (2 n^1.5) over numbers that are
    rounded alike; ± 2 spreads are 4 of them.
    """
    return step(_fewest(people) ** 1.5 / 4)


def _fewest(people: float) -> int:
    """Smallest number of participants that is rounded alike, less one: 7 for 8 to 12."""
    # One less: with one participant in a class, the AUROC of n has steps of 1 / (n - 1).
    return max(rounded(people) - MIN_CELL_SIZE // 2 - 1, 1)


def in_steps(value: float, step: float) -> float:
    """Round to a multiple of a step, halves away from 0; NaN stays."""
    if math.isnan(value):
        return value
    # 0.15 / 0.1 is slightly less than 1.5.
    steps = math.floor(abs(value) / step + 0.5 + 1e-9)
    return round(math.copysign(step * steps, value), 6) + 0.0  # no -0.0


def decimals_of(step: float) -> int:
    """Return how many decimals multiples of a step have, at most `DECIMALS`."""
    return next((n for n in range(DECIMALS) if math.isclose(step * 10**n % 1, 0)), DECIMALS)


@dataclass(frozen=True)
class Steps:
    """Steps of the scores of a scheme: of shares of participants, and of intervals of r."""

    share: float
    r_interval: float

    @classmethod
    def of_scheme(cls, scheme: SchemeResult, people: float) -> Steps:
        """Derive them from the rounded numbers of all participants and of those in a test part."""
        tested = min(rounded(people), rounded(scheme.test_people) * scheme.splits)
        return cls(step_of(scheme.test_people, scheme.splits), step_of_r_interval(tested))

    def of_mean(self, metric: str) -> float:
        """Step of the mean of a metric."""
        return self.share if metric in CLASSIFICATION else 10**-DECIMALS

    def of_interval(self, metric: str) -> float:
        """Step of the ends of its interval."""
        return self.r_interval if metric in CORRELATIONS else self.of_mean(metric)

    def rounded(self, values: Summary | Difference, metric: str) -> dict[str, float]:
        """Round the mean and the interval."""
        step = self.of_interval(metric)
        return {
            "mean": in_steps(values.mean, self.of_mean(metric)),
            "low": in_steps(values.low, step),
            "high": in_steps(values.high, step),
        }


def rounded_scheme(scheme: SchemeResult, comparison: Comparison) -> SchemeResult:
    """Round the numbers of participants and the scores of a scheme of a comparison."""
    steps = Steps.of_scheme(scheme, comparison.people)
    rows = [_rounded_row(row, steps, comparison.metric) for row in scheme.representations]
    return scheme.model_copy(
        update={
            "train_people": float(rounded(scheme.train_people)),
            "validation_people": float(rounded(scheme.validation_people)),
            "test_people": float(rounded(scheme.test_people)),
            "representations": rows,
        }
    )


def _rounded_row(row: Row, steps: Steps, compared_by: str) -> Row:
    """Round one row; differences are of the metric that representations are compared by."""
    few, difference = row.people_without_features, row.difference_from_baseline
    if difference is not None:
        difference = difference.model_copy(update=steps.rounded(difference, compared_by))
    return row.model_copy(
        update={
            "metrics": {
                name: Summary(sd=math.nan, **steps.rounded(values, name))
                for name, values in row.metrics.items()
            },
            "difference_from_baseline": difference,
            "people_without_features": few and rounded(few),
        }
    )
