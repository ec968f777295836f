"""Error rates of a probe of several blocks of features.

    OMP_NUM_THREADS=1 python -m experiments.feature_blocks --cases 200

A hundred people with five blocks of 50 to 3,000 features, which share factors as blocks of one scan
do, and a phenotype without effect, one that goes with factors of the second block alone, or one
that goes with the shared factors; as a number (Pearson r) and as two classes (balanced accuracy);
10 random splits, 99 permutations. Printed are the share of cases with p (permutation) of at most
0.05, the share whose 95 % interval has chance in it (without effect: 0.05 and 0.95), and the mean
score.
"""

from __future__ import annotations

import argparse
import itertools
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from experiments.differences import METRICS, problem_of
from semantoks.artifacts.representations import FeatureBlock
from semantoks.config import Kind, Probe
from semantoks.scores.benchmark.compare import compare
from semantoks.scores.benchmark.probe_scores import ProbeScores, Task
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features

PEOPLE, FACTORS = 100, 30
SIZES = {"amplitude": 200, "spectrum": 50, "networks": 600, "coupling": 3000, "distilled": 1500}
EFFECTS = ("none", "one block", "shared")
EFFECT = 0.6  # correlation of the phenotype with the factors that it goes with
CHANCE = {"regression": 0.0, "classification": 0.5}
SETTINGS = Probe(repeats=10, permutations=99, learning_curve=[])


def simulate_blocks(
    rng: np.random.Generator, people: int, sizes: dict[str, int]
) -> tuple[Features, np.ndarray, np.ndarray]:
    """Draw features whose blocks have shared factors and factors of their own.

    Returns
    -------
    features : Features
    shared_PK, second_PK : ndarray, shape (people, factors)
        Factors of all blocks, and those of the second block alone.
    """
    shared = rng.standard_normal((people, FACTORS))
    factors = [rng.standard_normal((people, FACTORS)) for _ in sizes]
    columns = [
        np.hstack([shared, of_block]) @ rng.standard_normal((2 * FACTORS, size))
        + FACTORS**0.5 * rng.standard_normal((people, size))
        for of_block, size in zip(factors, sizes.values(), strict=True)
    ]
    blocks = tuple(FeatureBlock(name, size) for name, size in sizes.items())
    return Features(np.hstack(columns), blocks=blocks), shared, factors[1]


def simulate(case: tuple[int, Kind, str]) -> dict[str, object]:
    """Score one simulated phenotype."""
    number, kind, effect = case
    rng = np.random.default_rng([number, len(kind), len(effect)])
    features, shared, second = simulate_blocks(rng, PEOPLE, SIZES)
    value = rng.standard_normal(PEOPLE)
    if effect != "none":
        factors = shared if effect == "shared" else second
        score = factors @ rng.standard_normal(FACTORS)
        value = EFFECT * score / score.std() + (1 - EFFECT**2) ** 0.5 * value
    problem = problem_of(value, kind, number)
    result = score_features(problem, [features], SETTINGS)
    return {"kind": kind, "effect": effect} | _outcome(result, kind)


def _outcome(result: ProbeResult, kind: Kind) -> dict[str, float]:
    """Return what is reported of a row: p, whether chance is in the interval, and the mean."""
    test, metric = result.permutation_test, METRICS[kind]
    assert test is not None
    task = Task("x", kind, None, PEOPLE, None, {}, "exact", "none")
    scores = ProbeScores(task, "x", 1, None, list(test.shuffled), result.scores)
    (scheme,) = compare([scores], "simulated").schemes
    interval = scheme.representations[0].metrics[metric]
    return {
        "p <= 0.05": float(test.p <= 0.05),
        "chance in interval": float(interval.low <= CHANCE[kind] <= interval.high),
        "score": interval.mean,
    }


def main() -> None:
    """Print the rates of all kinds of cases."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=200, help="of each kind")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    for effect, kind in itertools.product(EFFECTS, METRICS):
        cases = [(number, kind, effect) for number in range(arguments.cases)]
        with ProcessPoolExecutor(arguments.workers) as pool:
            table = pd.DataFrame(pool.map(simulate, cases))
        means = table.groupby(["kind", "effect"], sort=False).mean()
        print(means.round(3).to_string(header=effect == "none"), flush=True)


if __name__ == "__main__":
    main()
