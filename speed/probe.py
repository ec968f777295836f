"""How fast the exact probe is, against scikit-learn's cross-validated models in a loop.

    python -m speed.probe --features 1536
    python -m speed.probe --features 19900

The job: 100 phenotypes (half of them classes, half numbers), 100 splits of 1,000 people, 8
strengths chosen over 5 inner folds. Ours does all phenotypes of some splits (each row of the table
has the decomposition, "all" has it once), scikit-learn's `LogisticRegressionCV` and `RidgeCV`
(which leaves out one person at a time) some phenotypes of one split; both are scaled to the whole
job. Both use one thread, as the workflow's probes do: run it with OMP_NUM_THREADS=1. Features are
correlated as real ones are (a spectrum that falls with 1 / rank). scikit-learn is timed with its
default tolerance and with one that gives the same solution as ours to four digits.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.preprocessing import StandardScaler

from semantoks.config import Probe
from semantoks.scores.linear_models.axes import PrincipalCoordinates, rotate
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from semantoks.scores.probe.fit import fit_classifications
from semantoks.scores.probe.targets import ClassificationTargets, RegressionTargets, inner_folds

PEOPLE, PHENOTYPES, SPLITS, TRAINED = 1000, 100, 100, 800
SETTINGS = Probe()
STRENGTHS = np.array(SETTINGS.strengths)
Result = TypeVar("Result")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--features", type=int, default=1536)
    parser.add_argument("--splits", type=int, default=2, help="splits that are measured")
    parser.add_argument("--loop", type=int, default=2, help="phenotypes that scikit-learn does")
    return parser.parse_args()


def timed(work: Callable[..., Result], *inputs: Any) -> tuple[float, Result]:
    """Return the seconds that something takes, and what it returns."""
    before = time.perf_counter()
    result = work(*inputs)
    return time.perf_counter() - before, result


def numbers(rotated: PrincipalCoordinates, target_PT: np.ndarray) -> None:
    """Choose strengths for numeric phenotypes, and predict."""
    fold = inner_folds(RegressionTargets(target_PT[:, 0]), None, SETTINGS.inner_folds)
    inner = ridge_over_folds(rotated, target_PT, STRENGTHS, fold)
    best = ((inner - target_PT) ** 2).sum(axis=1).argmin(axis=0)
    ridge(rotated, target_PT, STRENGTHS[best])


def classes(rotated: PrincipalCoordinates, codes_PT: np.ndarray) -> None:
    """Choose strengths for classifications, and predict."""
    folds = [
        inner_folds(ClassificationTargets(codes, ["0", "1"]), None, SETTINGS.inner_folds)
        for codes in codes_PT.T
    ]
    fit_classifications(rotated, codes_PT, np.stack(folds, axis=1), 2, np.sort(STRENGTHS)[::-1])


def loop(
    features: np.ndarray, codes: np.ndarray, value: np.ndarray, tolerance: float
) -> tuple[float, float]:
    """Seconds of one classification and one regression with scikit-learn."""
    rows = StandardScaler().fit_transform(features)
    people = rows.size  # times the features, since ours divides by the root of their number
    logistic = LogisticRegressionCV(
        Cs=1 / (STRENGTHS * people),
        cv=5,
        class_weight="balanced",
        scoring="neg_log_loss",
        max_iter=10_000,
        tol=tolerance,
        l1_ratios=(0,),
        use_legacy_attributes=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classified = timed(logistic.fit, rows, codes)[0]
        regressed = timed(RidgeCV(alphas=STRENGTHS * people).fit, rows, value)[0]
    return classified, regressed


def main() -> None:
    """Measure both and print the table."""
    chosen = arguments()
    rng = np.random.default_rng(0)
    ranks = np.arange(1, PEOPLE + 1)
    factors = rng.standard_normal((PEOPLE, PEOPLE)) / np.sqrt(ranks)
    features = factors @ rng.standard_normal((PEOPLE, chosen.features))
    signal = features[:, : PHENOTYPES // 2] + 2 * rng.standard_normal((PEOPLE, PHENOTYPES // 2))
    codes = (signal > 0.3).astype(int)
    times = []
    for _ in range(chosen.splits):
        order = rng.permutation(PEOPLE)
        train, held = order[:TRAINED], order[TRAINED:]
        shared, rotated = timed(rotate, features[train], features[held])
        classified, regressed = (
            timed(classes, rotated, codes[train]),
            timed(numbers, rotated, signal[train]),
        )
        times.append((shared, classified[0], regressed[0]))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    half = PHENOTYPES // 2
    parts = [SPLITS * float(mean) for mean in np.mean(times, axis=0)]
    ours = {"classes": parts[0] + parts[1], "numbers": parts[0] + parts[2], "all": sum(parts)}
    print(f"{chosen.features:,} features, {PEOPLE:,} people; hours for the whole job, one thread\n")
    print("| phenotypes | tolerance | scikit-learn in a loop | ours | ratio |")
    print("|---|---|---|---|---|")
    for tolerance in (1e-4, 1e-8):
        theirs = [
            loop(features[train], codes[train, p], signal[train, p], tolerance)
            for p in range(chosen.loop)
        ]
        means = [*(np.mean(theirs, axis=0) * SPLITS * half)]
        both = zip(ours, (*means, sum(means)), ours.values(), strict=True)
        for name, other, own in both:
            hours = f"{other / 3600:.2f} | {own / 3600:.3f} | {other / own:.0f}"
            print(f"| {name} | {tolerance:g} | {hours} |", flush=True)
    print(f"\nPeak memory of ours: {memory:.2f} GiB")


if __name__ == "__main__":
    main()
