"""How often a choice among representations finds an effect that does not exist.

    OMP_NUM_THREADS=1 python -m experiments.choice --cases 300

Phenotypes without effect, half of them classes and half numbers: 80 participants, 10 random splits,
99 permutations. Of four candidates the one of least inner loss is taken in every split: two share
features, one has 200 features, and one is tangent connectivity, whose shrinkage is chosen, too.
Counted are cases with p (permutation) of at most 0.05 by the chosen row, by tangent connectivity
and by the best of the four p, cases in which the interval of the chosen row lacks chance, and those
in which it differs from another representation.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd

from experiments.differences import METRICS, problem_of
from semantoks.artifacts.timeseries import Scan
from semantoks.config import Kind, Probe
from semantoks.scores.benchmark.shuffles import ShuffledScore, shuffled_difference
from semantoks.scores.choose.choice import choose_per_fit
from semantoks.scores.probe.evaluation import ProbeResult
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.represent.tangent import covariances

PEOPLE, CHANCE = 80, {"pearson_r": 0.0, "balanced_accuracy": 0.5}
SETTINGS = Probe(repeats=10, permutations=99, learning_curve=[], strengths=[1e-3, 1e-1, 10])


def representations(rng: np.random.Generator) -> dict[str, Features]:
    """Draw four candidates, and another representation that shares features with two of them."""
    shared = rng.standard_normal((PEOPLE, 10))
    scans = (
        Scan("", "", "", "", "", 2.0, rng.standard_normal((6, 60)).astype(np.float32))
        for _ in range(PEOPLE)
    )
    return {
        **{
            name: Features(np.hstack([shared, rng.standard_normal((PEOPLE, 15))]))
            for name in ("other", "first", "second")
        },
        "many": Features(rng.standard_normal((PEOPLE, 200))),
        "tangent": Features(np.stack(list(covariances(scans))), "tangent"),
    }


def shuffled(result: ProbeResult, metric: str) -> ShuffledScore:
    """Mean score of a row with those of its permutations."""
    assert result.permutation_test is not None
    mean = float(result.scores[metric].mean())
    return ShuffledScore(metric, mean, result.permutation_test.shuffled)


def simulate(seed: int) -> dict[str, bool | str]:
    """Choose among the candidates for one phenotype, and say what is significant."""
    rng = np.random.default_rng(seed)
    kind: Kind = "classification" if seed % 2 else "regression"
    metric = METRICS[kind]
    problem = problem_of(rng.standard_normal(PEOPLE), kind, seed)
    results = {
        name: score_features(problem, [features], SETTINGS)
        for name, features in representations(rng).items()
    }
    other = shuffled(results.pop("other"), metric)
    chosen = choose_per_fit(results)
    p = {n: r.permutation_test.p for n, r in results.items() if r.permutation_test is not None}
    assert chosen.permutation_test is not None
    score = shuffled(chosen, metric)
    low, high = score.interval()
    return {
        "metric": metric,
        "chosen": chosen.permutation_test.p <= 0.05,
        "tangent": p["tangent"] <= 0.05,
        "best p of the four": min(p.values()) <= 0.05,
        "interval lacks chance": not low <= CHANCE[metric] <= high,
        "differs": shuffled_difference(other, score, "chosen").p < 0.05,
    }


def main() -> None:
    """Print the share of cases by metric."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=300)
    table = pd.DataFrame([simulate(seed) for seed in range(parser.parse_args().cases)])
    print(table.groupby("metric").mean().round(3).T.to_string())


if __name__ == "__main__":
    main()
