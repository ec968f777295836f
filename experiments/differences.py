"""How often a difference from connectivity is found that does not exist.

    OMP_NUM_THREADS=1 python -m experiments.differences --cases 100

Two representations that are worth the same are scored on one simulated phenotype, without effect
and with one, as numbers (Pearson r) and as two classes (balanced accuracy): 80 and 200
participants, 20 features each, 10 random splits, 99 permutations. In every second case they share
features, as representations of the same scans do. Printed are the shares of cases with p < 0.05 by
permutations of both and by the corrected t of Nadeau and Bengio, and the mean standard error of the
permutations beside the standard deviation of the difference.

The last columns are of the first representation stacked with one that says nothing, compared with
the first alone: the share with p < 0.05, and the share in which stacking is found to be better.
"""

from __future__ import annotations

import argparse
import itertools
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
from scipy import stats

from semantoks.config import Kind, Phenotype, Probe, Splitting
from semantoks.scores.benchmark.shuffles import ShuffledScore, shuffled_difference
from semantoks.scores.intervals import paired_difference
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem, TaskMetadata
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import codes_table

METRICS: dict[Kind, str] = {"regression": "pearson_r", "classification": "balanced_accuracy"}
EFFECTS = {"none": 0.0, "small": 0.5, "large": 1.0}
SIZES = (80, 200)
FEATURES = 20
# Few strengths, because the choice among them matters less here than the number of cases.
SETTINGS = Probe(repeats=10, permutations=99, learning_curve=[], strengths=[1e-3, 1e-1, 10])
COLUMNS = ["score", "error", "by permutations", "by corrected t", "stacked", "stacked better"]
Case = tuple[int, int, Kind, str]


def problem_of(value: np.ndarray, kind: Kind, seed: int, *, shared: bool = False) -> Problem:
    """Return a problem with random splits, its classes cut at the median.

    With `shared`, all problems of the same participants and seed have the same splits.
    """
    is_high = value > np.median(value)
    target = value if kind == "regression" else np.where(is_high, "high", "low")
    ids = [f"sub-{row:03d}" for row in range(len(value))]
    people = pd.DataFrame({"target": target, "site": None, "group": None}, ids)
    everybody = people[["site", "group"]] if shared else None
    splits = draw(people, Phenotype(kind=kind), Splitting(seed=seed), everybody)
    records = [split.record() for split in splits]
    metadata = {"phenotype": "x", "kind": kind, "bins": None, "splits": records}
    table = pd.concat([people, codes_table(splits, people.index)], axis=1)
    return Problem(TaskMetadata.from_json(metadata), table)


def simulate(case: Case) -> dict[str, float | str]:
    """Score two representations of equal worth and compare them in both ways."""
    number, size, kind, effect = case
    rng = np.random.default_rng([number, size, len(kind), len(effect)])
    value = rng.standard_normal(size)
    shared = (number % 2) * rng.standard_normal((size, FEATURES))
    problem, representations = problem_of(value, kind, number), []
    for _ in range(2):
        features = shared + rng.standard_normal((size, FEATURES))
        features[:, 0] += EFFECTS[effect] * value
        representations.append(Features(features))
    results = [score_features(problem, [features], SETTINGS) for features in representations]
    first = results[0]
    case_of = {"metric": METRICS[kind], "participants": size, "effect": effect}
    nothing = Features(rng.standard_normal((size, FEATURES)))
    stacked = score_features(problem, [representations[0], nothing], SETTINGS)
    of_stacked = _compare(stacked, first, METRICS[kind])
    return (
        case_of
        | _compare(first, results[1], METRICS[kind])
        | {
            "stacked": of_stacked["by permutations"],
            "stacked better": of_stacked["by permutations"] and of_stacked["difference"] > 0,
        }
    )


def _compare(first: ProbeResult, second: ProbeResult, metric: str) -> dict[str, float]:
    pair = first, second
    scores = [result.scores[metric].to_list() for result in pair]
    rows = first.scores
    by_t = paired_difference(*scores, float((rows["test_people"] / rows["train_people"]).mean()))
    shuffled = [
        ShuffledScore(metric, float(np.mean(values)), result.permutation_test.shuffled)
        for values, result in zip(scores, pair, strict=True)
        if result.permutation_test is not None
    ]
    difference = shuffled_difference(*shuffled, "second")
    return {
        "score": shuffled[0].mean,
        "difference": difference.mean,
        "error": (difference.high - difference.mean) / stats.norm.ppf(0.975),
        "by permutations": difference.p < 0.05,
        "by corrected t": by_t["p"] < 0.05,
    }


def main() -> None:
    """Print the error rates of all kinds of cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100, help="of each kind")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    cases = list(itertools.product(range(arguments.cases), SIZES, METRICS, EFFECTS))
    with ProcessPoolExecutor(arguments.workers) as pool:
        table = pd.DataFrame(pool.map(simulate, cases, chunksize=4))
    kinds = table.groupby(["metric", "participants", "effect"], sort=False)
    result = kinds[COLUMNS].mean()
    result.insert(
        1, "sd of difference", np.sqrt(kinds["difference"].apply(lambda x: (x**2).mean()))
    )
    print(result.round(3).to_string())


if __name__ == "__main__":
    main()
