"""Learning curves, and how much labelled data a representation saves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from semantoks.scores.benchmark.comparison import CurvePoint


def learning_curve(rows: pd.DataFrame, metric: str) -> list[CurvePoint]:
    """Average a metric over random splits, by fraction of the training part.

    Parameters
    ----------
    rows : DataFrame
        One row per fit.
    metric : str

    Returns
    -------
    list of CurvePoint
        From the smallest fraction to the largest; empty if only one fraction was fitted.
    """
    random = rows[(rows["scheme"] == "random") & rows[metric].notna()]
    if random["fraction"].nunique() < 2:
        return []
    return [
        CurvePoint(
            train_people=float(fits["train_people"].mean()),
            mean=float(fits[metric].mean()),
            sd=float(fits[metric].std()),
        )
        for _, fits in random.groupby("fraction")
    ]


def with_label_efficiency(
    curves: Mapping[str, Sequence[CurvePoint]], baseline: str | None, predictive: Collection[str]
) -> dict[str, list[CurvePoint]]:
    """Add `label_efficiency` to the last point of each curve but the baseline's.

    Only curves of representations in `predictive` are compared: where one of two does not predict
    the phenotype at all, the sizes at which noise crosses the other curve mean nothing.
    """
    result = {name: list(curve) for name, curve in curves.items()}
    reference = result.get(baseline) if baseline and baseline in predictive else None
    for name, curve in result.items():
        if reference is not None and name != baseline and name in predictive:
            worth = label_efficiency(curve, reference)
            curve[-1] = curve[-1].model_copy(update={"worth": worth})
    return result


def label_efficiency(curve: Sequence[CurvePoint], baseline: Sequence[CurvePoint]) -> float | None:
    """Compute how many times its training participants a representation is worth.

    2 means that half of the participants suffice for what the baseline reaches with all of them;
    ½ that the baseline needs only half of them for what the representation reaches with all.

    Scores are interpolated linearly in the logarithm of the size.

    Parameters
    ----------
    curve, baseline : sequence of CurvePoint
        In increasing order of size.

    Returns
    -------
    float or None
        None if the better curve is above the last score of the other at every size: below its
        smallest size nothing is known.
    """
    ahead = curve[-1].mean >= baseline[-1].mean
    better, worse = (curve, baseline) if ahead else (baseline, curve)
    log_sizes = np.log([point.train_people for point in better])
    # The running maximum is monotonic, so that every score is reached at one size.
    best = np.maximum.accumulate([point.mean for point in better])
    if best[0] > worse[-1].mean:
        return None
    # The better curve ends at or above this score, so a point that reaches it exists.
    reached = int(np.searchsorted(best, worse[-1].mean))  # the first point of a plateau
    # np.interp needs increasing x, but a running maximum has plateaus: so only these two points.
    neighbours = slice(max(reached - 1, 0), reached + 1)
    needed = np.exp(np.interp(worse[-1].mean, best[neighbours], log_sizes[neighbours]))
    factor = worse[-1].train_people / float(needed)
    return factor if ahead else 1 / factor
