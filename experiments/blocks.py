"""How often blocks without an effect are called significant.

    python -m experiments.blocks --cases 200

Thirty people with eight blocks each: the phenotype differs between the blocks of a person or is the
same in them, and is a class or a number; and thirty people with one row each. Features tell people
apart, but have nothing to do with the phenotype. Counted are cases in which p (permutation) is at
most 0.05, in which the 95 % interval of the score lacks chance, and in which two representations
differ (both by the corrected t).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import pandas as pd

from semantoks.config import Phenotype, Probe, Splitting
from semantoks.scores.intervals import paired_difference, summary
from semantoks.scores.probe.exact import score_features
from semantoks.scores.probe.features import Features
from semantoks.scores.probe.problem import Problem, TaskMetadata
from semantoks.scores.split.draw import draw
from semantoks.scores.split.parts import codes_table

PEOPLE, FEATURES = 30, 20
SETTINGS = Probe(repeats=10, permutations=99, learning_curve=[], strengths=[1e-2, 1.0])
METRICS = {"classification": ("balanced_accuracy", 0.5), "regression": ("pearson_r", 0.0)}


def problem_of(target: np.ndarray, person: list[str], kind: str) -> Problem:
    """Draw splits by person."""
    index = [f"block-{number:03d}" for number in range(len(target))]
    table = pd.DataFrame({"target": target, "site": None, "group": person, "person": person}, index)
    splits = draw(table, Phenotype(kind=kind), Splitting())
    metadata = {
        "phenotype": "x",
        "kind": kind,
        "bins": None,
        "splits": [split.record() for split in splits],
    }
    rows = pd.concat([table, codes_table(splits, table.index)], axis=1)
    return Problem(TaskMetadata.from_json(metadata), rows)


def cases(kind: str, varies: bool, count: int, blocks: int) -> Iterator[tuple[bool, bool, bool]]:
    """Yield what is significant in each case: permutation, interval, difference."""
    metric, chance = METRICS[kind]
    for seed in range(count):
        rng = np.random.default_rng(seed)
        of_row = np.repeat(np.arange(PEOPLE), blocks)
        values = rng.standard_normal(PEOPLE)[of_row]
        values = values + 2 * rng.standard_normal(len(of_row)) if varies else values
        median = np.median(values)
        target = np.where(values > median, "b", "a") if kind == "classification" else values
        problem = problem_of(target, [f"sub-{number:02d}" for number in of_row], kind)
        results = []
        for _ in range(2):
            of_person = rng.standard_normal((PEOPLE, FEATURES))[of_row]
            features = of_person + rng.standard_normal((len(of_row), FEATURES))
            results.append(score_features(problem, [Features(features)], SETTINGS))
        scores = [list(result.scores[metric]) for result in results]
        interval = summary(scores[0], 0.25)
        test = results[0].permutation_test
        assert test is not None
        yield (
            test.p <= 0.05,
            not interval["low"] <= chance <= interval["high"],
            paired_difference(*scores, 0.25)["p"] <= 0.05,
        )


def main() -> None:
    """Print the rates of all worlds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=200)
    count = parser.parse_args().cases
    print("kind, phenotype: p (permutation), interval without chance, difference (corrected t)")
    worlds = {
        "differs within people": (True, 8),
        "the same within people": (False, 8),
        "one row per person": (False, 1),
    }
    for kind in METRICS:
        for name, (varies, blocks) in worlds.items():
            rates = np.mean(list(cases(kind, varies, count, blocks)), axis=0)
            print(f"{kind}, {name}: " + ", ".join(f"{rate:.3f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main()
