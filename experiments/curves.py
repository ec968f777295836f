"""Scores against the number of labelled people and against the length of scans, on ABIDE.

    python -m experiments.curves ../shared/data --out curves.tsv

In each of some random splits, 40 % of the people lend their scans to the mean covariances and the
distilled map (without labels), 40 % train the probes, and 20 % are tested. So the map has never
seen the people of the probes, whose scans are cut. Compared are the best connectivity, which is
chosen by the inner folds, tangent connectivity, and `full` without the network.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import ShuffleSplit
from threadpoolctl import threadpool_limits

from experiments.cohorts import Cohort, load
from experiments.representations import (
    ESTIMATORS,
    Split,
    fixed_rows,
    mean_of,
    score_blocks,
    score_connectivity,
    tangent_rows,
)
from semantoks.artifacts.excerpts import cut
from semantoks.artifacts.timeseries import Scan
from semantoks.connectivity.reference import Reference
from semantoks.model.connectome.distillation import fit_map, halves
from semantoks.model.files.connectome import DistilledMap
from semantoks.scores.intervals import paired_difference
from semantoks.scores.linear_models.axes import block_kernel

SECONDS = (60, 90, 120, 180, None)
LABELS = (20, 40, 100, 200, None)
SPLITS, TEST_FRACTION, MAP_FRACTION = 10, 0.2, 0.4
FULL = ("coupling", "coupling_gsr", "distilled", "amplitude", "spectrum")


def curves_of_split(
    cohort: Cohort, number: int, people: tuple[np.ndarray, np.ndarray]
) -> list[dict[str, object]]:
    """Score one split at all lengths, and at the whole length with all numbers of labels."""
    rest, test = people
    of_map, train = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    used = np.concatenate([train, test])
    split = Split(
        f"random {number:02d}", "random", np.arange(len(train)), np.arange(len(train), len(used))
    )
    results = []
    with threadpool_limits(1, user_api="blas"):
        model = _model([cohort.scans[row] for row in of_map])
        participants = cohort.participants.iloc[used].reset_index(drop=True)
        for seconds in SECONDS:
            scans = [cohort.scans[row] for row in used]
            scans = scans if seconds is None else [cut(scan, seconds) for scan in scans]
            part = Cohort(scans, participants, cohort.phenotypes, cohort.edges)
            rows = _rows(part, model, split)
            for labels in LABELS if seconds is None else (None,):
                labelled = Split(split.name, split.scheme, split.train[:labels], split.test)
                results += [
                    {"split": split.name, "seconds": seconds, "labels": labels} | score
                    for score in _scores(part, rows, labelled)
                ]
    return results


def _model(scans: list[Scan]) -> tuple[dict[str, Reference], DistilledMap]:
    """Mean covariances and the distilled map of whole scans."""
    references = {name: mean_of(scans, estimator) for name, estimator in ESTIMATORS.items()}
    cut_scans = [halves(scan.timeseries_CT, scan.tr) for scan in scans]
    without = references["coupling_gsr"]
    vectors = [without.tangent_vector(half) for pair in cut_scans if pair for half in pair]
    return references, fit_map(np.stack(vectors).astype(np.float32), 300, 0.3)


def _rows(
    cohort: Cohort, model: tuple[dict[str, Reference], DistilledMap], split: Split
) -> dict[str, np.ndarray]:
    references, distilled = model
    rows = fixed_rows(cohort, {})
    rows |= tangent_rows(rows, split)
    for name, reference in references.items():
        rows[name] = np.stack([reference.tangent_vector(s.timeseries_CT) for s in cohort.scans])
    return rows | {"distilled": np.stack([distilled(row) for row in rows["coupling_gsr"]])}


def _scores(
    cohort: Cohort, rows: Mapping[str, np.ndarray], split: Split
) -> Iterator[dict[str, object]]:
    for phenotype, kind in cohort.phenotypes.items():
        values = cohort.participants[phenotype]
        known = values.notna().to_numpy()
        train, test = split.train[known[split.train]], split.test[known[split.test]]
        kernels = {
            name: block_kernel(features[train], features[test])
            for name, features in rows.items()
            if not name.startswith("covariance")
        }
        fits = score_connectivity(values, kind, kernels, train, test)
        shown = {
            "best_connectivity": min(fits.values()),
            "tangent": fits["tangent"],
            "full": score_blocks(values, kind, kernels, FULL, train, test),
        }
        for name, (_, value) in shown.items():
            yield {"phenotype": phenotype, "representation": name, "score": value}


def table(scores: pd.DataFrame, by: str) -> str:
    """Means over splits, and the difference of `full` from the best connectivity."""
    wide = scores.pivot_table(
        index=[by, "split", "phenotype"], columns="representation", values="score", dropna=False
    ).dropna()
    lines = []
    for value, of_value in wide.groupby(level=by):
        over = (of_value["full"] - of_value["best_connectivity"]).groupby("split").mean()
        ratio = TEST_FRACTION / MAP_FRACTION
        test = paired_difference(over.to_list(), [0.0] * len(over), ratio)
        means = of_value.groupby("phenotype").mean().round(3).T
        lines.append(
            f"{by} {value:g}: full over best {test['mean']:+.3f} ({test['low']:+.3f} to "
            f"{test['high']:+.3f})\n{means.to_string()}"
        )
    return "\n".join(lines)


def main() -> None:
    """Print both curves."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of the shared data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    cohort = load("abide", chosen.source)
    shuffle = ShuffleSplit(SPLITS, test_size=TEST_FRACTION, random_state=0)
    splits = list(shuffle.split(np.arange(len(cohort.scans))))
    results = list[dict[str, object]]()
    with ProcessPoolExecutor(chosen.workers) as pool:
        jobs = partial(curves_of_split, cohort)
        for rows in pool.map(jobs, range(len(splits)), splits):
            results += rows
            scores = pd.DataFrame(results)
            scores.to_csv(chosen.out, sep="\t", index=False)
            print(rows[0]["split"], flush=True)
    whole = scores["seconds"].isna()
    print(table(scores[whole].fillna({"labels": 9999}), "labels"))
    print(table(scores[scores["labels"].isna()].fillna({"seconds": 9999}), "seconds"))


if __name__ == "__main__":
    main()
