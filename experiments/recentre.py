"""How many scans of a site its own mean covariance needs, on sites left out of ABIDE.

    python -m experiments.recentre ../shared/data

Probes of the readout `coupling` are trained on all other sites, each recentred at the mean of all
its scans, and tested on a site that is recentred at the mean of 10, 20 or 50 of its scans, drawn
five times, or of all. `none`: all scans are whitened at the mean of the training sites. Tested are
the sites with 60 scans or more. No phenotype has a part in any mean.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.cohorts import Cohort, load
from experiments.representations import (
    ESTIMATORS,
    MIN_CLASS,
    MIN_TESTED,
    Split,
    draw_splits,
    mean_of,
    score_blocks,
)
from semantoks.connectivity.reference import Reference
from semantoks.scores.linear_models.axes import block_kernel

COUNTS, DRAWS, MIN_SCANS = (10, 20, 50), 5, 60


def _vectors(cohort: Cohort, rows: np.ndarray, reference: Reference) -> np.ndarray:
    return np.stack([reference.tangent_vector(cohort.scans[r].timeseries_CT) for r in rows])


def _reference(cohort: Cohort, rows: np.ndarray) -> Reference:
    return mean_of([cohort.scans[row] for row in rows], ESTIMATORS["coupling"])


def score_site(
    cohort: Cohort, split: Split, vectors_at_sites: np.ndarray
) -> list[dict[str, object]]:
    """Score a site with its scans recentred in all ways."""
    plain, at_site_TF = _reference(cohort, split.train), vectors_at_sites[split.train]
    ways = {
        "none": [(_vectors(cohort, split.train, plain), _vectors(cohort, split.test, plain))],
        "all": [(at_site_TF, vectors_at_sites[split.test])],
    }
    rng = np.random.default_rng(0)
    for count in COUNTS:
        drawn = [rng.choice(split.test, count, replace=False) for _ in range(DRAWS)]
        ways[str(count)] = [
            (at_site_TF, _vectors(cohort, split.test, _reference(cohort, rows))) for rows in drawn
        ]
    results = list[dict[str, object]]()
    for phenotype, kind in cohort.phenotypes.items():
        values = cohort.participants[phenotype]
        known = values.notna().to_numpy()
        train, test = split.train[known[split.train]], split.test[known[split.test]]
        if not _can_be_scored(values.iloc[test], kind):
            continue
        for way, features in ways.items():
            kernels = [
                block_kernel(of_train[known[split.train]], of_test[known[split.test]])
                for of_train, of_test in features
            ]
            fits = [
                score_blocks(values, kind, {"coupling": kernel}, ["coupling"], train, test)
                for kernel in kernels
            ]
            results.append(
                {"site": split.name, "phenotype": phenotype, "recentred": way}
                | {"score": np.mean([score for _, score in fits])}
            )
    return results


def _can_be_scored(tested: pd.Series, kind: str) -> bool:
    counts = tested.value_counts()
    if kind == "classification":
        return len(counts) == 2 and bool(counts.min() >= MIN_CLASS)
    return len(tested) >= MIN_TESTED


def main() -> None:
    """Print mean scores over sites."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", type=Path, help="folder of the shared data")
    cohort = load("abide", parser.parse_args().source)
    site = cohort.participants["site"].to_numpy()
    vectors = dict[int, np.ndarray]()
    for name in sorted(set(site)):
        rows = np.flatnonzero(site == name)
        of_site = _vectors(cohort, rows, _reference(cohort, rows))
        vectors |= dict(zip(rows.tolist(), of_site, strict=True))
    at_sites = np.stack([vectors[row] for row in range(len(site))])
    results = list[dict[str, object]]()
    for split in draw_splits(cohort):
        if split.scheme == "site" and len(split.test) >= MIN_SCANS:
            results += score_site(cohort, split, at_sites)
            print(split.name, flush=True)
    scores = pd.DataFrame(results)
    wide = scores.pivot_table(index="recentred", columns="phenotype", values="score", sort=False)
    print(wide.assign(mean=wide.mean(axis=1)).round(3).to_string())
    by_site = scores.pivot_table(index="site", columns="recentred", values="score", sort=False)
    print(by_site.round(3).to_string())


if __name__ == "__main__":
    main()
