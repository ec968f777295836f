"""Time the exact probe against a loop over scikit-learn's cross-validated models.

    python -m speed.probe --features 1536
    python -m speed.probe --features 19900
    python -m speed.probe --blocks
    python -m speed.probe --phenotypes 140 --features 44850

The task: 100 phenotypes (50 classifications, 50 regressions), 100 splits of 1,000 participants, 8
L2 penalties selected by 5 inner folds. Semantoks fits all phenotypes of a few splits (the matrix
decomposition is included in every row of the table, in "all" once), scikit-learn's
`LogisticRegressionCV` and `RidgeCV` (leave-one-out) fit a few phenotypes of one split; both times
are extrapolated to the whole task. Set OMP_NUM_THREADS=1, since the probes of the workflow use one
thread. As in real data, features are correlated (their spectrum falls with 1 / rank). scikit-learn
is timed with its default tolerance, and with one at which its solution agrees to four digits.

With `--blocks`, the whole probe (10 splits, 1,000 permutations) of five blocks of features
is timed against that of one block: of five blocks of the same total size, and of five that are each
as large.

With `--phenotypes`, the probe of one phenotype is timed against that of many in one job, half of
them classes, with shared splits (`splits.shared`), with and without permutations.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.preprocessing import StandardScaler

from experiments.differences import problem_of
from experiments.feature_blocks import simulate_blocks
from semantoks.config import Kind, Probe
from semantoks.scores.linear_models.axes import PrincipalCoordinates, rotate
from semantoks.scores.linear_models.ridge import ridge, ridge_over_folds
from semantoks.scores.probe.exact import score_features, score_phenotypes
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.fit import fit_classifications
from semantoks.scores.probe.problem import PlacedProblem
from semantoks.scores.probe.targets import ClassificationTargets, RegressionTargets, inner_folds

PARTICIPANTS, PHENOTYPES, SPLITS, TRAINING = 1000, 100, 100, 800
BLOCK = 3000  # features
KINDS: tuple[Kind, ...] = ("regression", "classification")
SETTINGS = Probe()
STRENGTHS = np.array(SETTINGS.strengths)
Result = TypeVar("Result")


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--features", type=int, default=1536)
    parser.add_argument("--blocks", action="store_true", help="time several blocks of features")
    parser.add_argument("--phenotypes", type=int, help="time so many phenotypes in one job")
    parser.add_argument("--participants", type=int, nargs="+", default=[1000, 4000])
    parser.add_argument("--splits", type=int, default=2, help="number of splits to measure")
    parser.add_argument("--loop", type=int, default=2, help="phenotypes to fit with scikit-learn")
    return parser.parse_args()


def timed(work: Callable[..., Result], *inputs: Any) -> tuple[float, Result]:
    """Return the wall time of a call in seconds, and its result."""
    before = time.perf_counter()
    result = work(*inputs)
    return time.perf_counter() - before, result


def numbers(rotated: PrincipalCoordinates, target_PT: np.ndarray) -> None:
    """Select penalties for regressions by cross-validation, and predict."""
    fold = inner_folds(RegressionTargets(target_PT[:, 0]), None, SETTINGS.inner_folds)
    inner = ridge_over_folds(rotated, target_PT, STRENGTHS, fold)
    best = ((inner - target_PT) ** 2).sum(axis=1).argmin(axis=0)
    ridge(rotated, target_PT, STRENGTHS[best])


def classes(rotated: PrincipalCoordinates, codes_PT: np.ndarray) -> None:
    """Select penalties for classifications by cross-validation, and predict."""
    folds = [
        inner_folds(ClassificationTargets(codes, ["0", "1"]), None, SETTINGS.inner_folds)
        for codes in codes_PT.T
    ]
    fit_classifications(rotated, codes_PT, np.stack(folds, axis=1), 2, np.sort(STRENGTHS)[::-1])


def loop(
    features: np.ndarray, codes: np.ndarray, value: np.ndarray, tolerance: float
) -> tuple[float, float]:
    """Return the seconds of a classification and a regression with scikit-learn."""
    rows = StandardScaler().fit_transform(features)
    # Our penalty is relative to rows × features, because features are divided by the square root
    # of their number.
    scale = rows.size
    logistic = LogisticRegressionCV(
        Cs=1 / (STRENGTHS * scale),
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
        regressed = timed(RidgeCV(alphas=STRENGTHS * scale).fit, rows, value)[0]
    return classified, regressed


def simulate(rng: np.random.Generator, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features (participants, features) and values (participants, half the phenotypes)."""
    ranks = np.arange(1, PARTICIPANTS + 1)
    factors = rng.standard_normal((PARTICIPANTS, PARTICIPANTS)) / np.sqrt(ranks)
    features = factors @ rng.standard_normal((PARTICIPANTS, n_features))
    noise = rng.standard_normal((PARTICIPANTS, PHENOTYPES // 2))
    return features, features[:, : PHENOTYPES // 2] + 2 * noise


def seconds_of_semantoks(
    features: np.ndarray, codes: np.ndarray, values: np.ndarray, train: np.ndarray, test: np.ndarray
) -> tuple[float, float, float]:
    """Return the seconds of the decomposition, the classifications and the regressions."""
    decomposition, rotated = timed(rotate, features[train], features[test])
    classified, _ = timed(classes, rotated, codes[train])
    regressed, _ = timed(numbers, rotated, values[train])
    return decomposition, classified, regressed


def seconds_of_blocks(features: Features, kind: Kind) -> float:
    """Return the seconds of scoring one phenotype without effect."""
    people = len(features.values_PF)
    problem = problem_of(np.random.default_rng(0).standard_normal(people), kind, 0)
    settings = SETTINGS.model_copy(update={"learning_curve": []})
    return timed(score_features, problem, [features], settings)[0]


def time_blocks() -> None:
    """Time one block and five, and print the table."""
    print("| participants | phenotype | one block | blocks | seconds | ratio |")
    print("|---|---|---|---|---|---|")
    for people, kind in itertools.product((100, 500, PARTICIPANTS), KINDS):
        five = {f"b{number}": BLOCK // 5 for number in range(5)}
        for name, sizes in (
            ("of the same total", five),
            ("each as large", dict.fromkeys(five, BLOCK)),
        ):
            drawn, *_ = simulate_blocks(np.random.default_rng(1), people, sizes)
            alone = Features(drawn.values_PF[:, :BLOCK])
            first, seconds = seconds_of_blocks(alone, kind), seconds_of_blocks(drawn, kind)
            cells = f"{people} | {kind} | {first:.2f} | five {name} | {seconds:.2f}"
            print(f"| {cells} | {seconds / first:.1f} |", flush=True)


def time_phenotypes(chosen: argparse.Namespace) -> None:
    """Time one phenotype and many that share their splits, and print the table."""
    print("| participants | permutations | one of numbers | one of classes | many | many / one |")
    print("|---|---|---|---|---|---|")
    for people, permutations in itertools.product(chosen.participants, (0, 1000)):
        rng = np.random.default_rng(0)
        features = Features(rng.standard_normal((people, chosen.features)))
        changed = {"repeats": chosen.splits, "permutations": permutations, "learning_curve": []}
        settings = SETTINGS.model_copy(update=changed)
        problems = [
            PlacedProblem(
                problem_of(rng.standard_normal(people), KINDS[number % 2], 0, shared=True),
                np.arange(people),
            )
            for number in range(chosen.phenotypes)
        ]
        first, second, many = (
            timed(score_phenotypes, part, [features], settings)[0]
            for part in (problems[:1], problems[1:2], problems)
        )
        cells = f"{people:,} | {permutations} | {first:.1f} s | {second:.1f} s | {many:.1f} s"
        print(f"| {cells} | {2 * many / (first + second):.1f} |", flush=True)


def main() -> None:
    """Time both and print the table."""
    chosen = arguments()
    if chosen.phenotypes:
        time_phenotypes(chosen)
        return
    if chosen.blocks:
        time_blocks()
        return
    rng = np.random.default_rng(0)
    features, values = simulate(rng, chosen.features)
    codes, times = (values > 0.3).astype(int), []
    for _ in range(chosen.splits):
        train, test = np.split(rng.permutation(PARTICIPANTS), [TRAINING])
        times.append(seconds_of_semantoks(features, codes, values, train, test))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    parts = [SPLITS * float(mean) for mean in np.mean(times, axis=0)]
    ours = {"classes": parts[0] + parts[1], "numbers": parts[0] + parts[2], "all": sum(parts)}
    print(f"{chosen.features:,} features, {PARTICIPANTS:,} participants")
    print("hours for the whole task, one thread\n")
    print("| phenotypes | tolerance | scikit-learn in a loop | semantoks | ratio |")
    print("|---|---|---|---|---|")
    for tolerance in (1e-4, 1e-8):
        laps = [
            loop(features[train], codes[train, p], values[train, p], tolerance)
            for p in range(chosen.loop)
        ]
        theirs = [*(np.mean(laps, axis=0) * SPLITS * (PHENOTYPES // 2))]
        for name, seconds in zip(ours, (*theirs, sum(theirs)), strict=True):
            hours = f"{seconds / 3600:.2f} | {ours[name] / 3600:.3f}"
            print(f"| {name} | {tolerance:g} | {hours} | {seconds / ours[name]:.0f} |", flush=True)
    print(f"\nPeak memory of semantoks: {memory:.2f} GiB")


if __name__ == "__main__":
    main()
