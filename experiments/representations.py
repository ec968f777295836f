"""Compare what can be read out of a model with connectivity, on data of one's own.

    python -m experiments.representations abide ../shared/data --out scores.tsv [--network FILE …]
    python -m experiments.representations … --out new.tsv --full-beside scores.tsv

The second form scores only the rows `full …` again, as after a change of weights, and takes all
others from an earlier run.

Scores of all kinds of connectivity, the best of them, all blocks of the readout `full`, and `full`
with and without each, over 20 random splits and, where there are sites, with each left out. The
mean covariances and the distilled map are fitted to the training participants of each split alone,
so test participants have no part in anything. Only embeddings by a network (`--network`, files of
`embed`) come from a training that is finished. Printed are means, and differences from the best
connectivity averaged over phenotypes, with corrected paired intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import pearsonr
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ShuffleSplit
from threadpoolctl import threadpool_limits

from experiments.cohorts import Cohort, load
from semantoks.artifacts.representations import read_participant_features
from semantoks.artifacts.timeseries import Scan
from semantoks.config import BLOCK_WEIGHTS, Probe
from semantoks.connectivity.reference import Estimator, MeanCovariance, Reference
from semantoks.model.connectome.distillation import fit_map, halves
from semantoks.model.embed.regional import centred_amplitude, spectrum
from semantoks.scores.intervals import paired_difference
from semantoks.scores.linear_models.axes import Kernel, block_kernel, sum_kernels
from semantoks.scores.probe.fit import fit_probe
from semantoks.scores.probe.targets import ClassificationTargets, RegressionTargets, inner_folds
from semantoks.scores.represent.connectivity import (
    connectivity,
    connectivity_without_global_signal,
)
from semantoks.scores.represent.projections import project_tangent, project_tangent_shrunk
from semantoks.scores.represent.tangent import covariances, covariances_without_global_signal

SPLITS, TEST_FRACTION, MIN_TESTED, MIN_CLASS = 20, 0.2, 10, 5
ESTIMATORS = {
    "coupling": Estimator(0.3),
    "coupling_gsr": Estimator(0.3, without_global_signal=True),
}
CONNECTIVITY = ("fc", "fc_gsr", "tangent", "tangent_gsr")
Rows = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Split:
    """Rows of training and test participants."""

    name: str
    scheme: str
    train: np.ndarray
    test: np.ndarray


def draw_splits(cohort: Cohort) -> list[Split]:
    """Draw random splits of participants, and leave out each site."""
    people = np.arange(len(cohort.scans))
    random = ShuffleSplit(SPLITS, test_size=TEST_FRACTION, random_state=0).split(people)
    splits = [Split(f"random {n:02d}", "random", *parts) for n, parts in enumerate(random)]
    site = cohort.participants.get("site")
    names = [] if site is None else sorted(site.dropna().unique())
    left_out = [(name, (site == name).to_numpy()) for name in names]
    return splits + [
        Split(f"site {name}", "site", people[~mask], people[mask]) for name, mask in left_out
    ]


def fixed_rows(cohort: Cohort, networks: Mapping[str, Path]) -> dict[str, np.ndarray]:
    """Features that are fitted to nobody, or come from a network that is trained."""
    scans = cohort.scans
    rows = {
        "fc": np.stack(list(connectivity(scans))),
        "fc_gsr": np.stack(list(connectivity_without_global_signal(scans))),
        "covariance": np.stack(list(covariances(scans))),
        "covariance_gsr": np.stack(list(covariances_without_global_signal(scans))),
        "spectrum": np.stack([spectrum(s.timeseries_CT, s.tr, cohort.edges) for s in scans]),
    }
    if all(scan.amplitude_C is not None for scan in scans):
        rows["amplitude"] = np.stack([centred_amplitude(s.amplitude_C) for s in scans])
    for name, path in networks.items():
        features = read_participant_features(path)
        order = [features.participant_id.index(scan.participant_id) for scan in scans]
        rows[name] = features.features_PF[order]
    return rows


def tangent_rows(fixed: Rows, split: Split) -> dict[str, np.ndarray]:
    """Tangent connectivity at the mean of the training participants of a split."""
    rows = {}
    everybody = np.concatenate([split.train, split.test])
    for name, covariance in (("tangent", "covariance"), ("tangent_gsr", "covariance_gsr")):
        parts = fixed[covariance][split.train], fixed[covariance][split.test]
        for suffix, project in (("", project_tangent), ("_shrunk", project_tangent_shrunk)):
            projected = np.concatenate(project(*parts))
            rows[name + suffix] = np.empty_like(projected)
            rows[name + suffix][everybody] = projected
    return rows


def fitted_rows(scans: Sequence[Scan], split: Split) -> dict[str, np.ndarray]:
    """Blocks that are fitted to the training participants of a split."""
    rows = {}
    for name, estimator in ESTIMATORS.items():
        reference = mean_of([scans[row] for row in split.train], estimator)
        rows[name] = np.stack([reference.tangent_vector(scan.timeseries_CT) for scan in scans])
    cut = [halves(scans[row].timeseries_CT, scans[row].tr) for row in split.train]
    vectors = [reference.tangent_vector(half) for pair in cut if pair for half in pair]
    distilled = fit_map(np.stack(vectors).astype(np.float32), 300, 0.3)
    rows["distilled"] = np.stack([distilled(vector) for vector in rows["coupling_gsr"]])
    return rows


def mean_of(scans: Sequence[Scan], estimator: Estimator) -> Reference:
    """Mean covariance of scans."""
    mean = MeanCovariance(estimator, len(scans[0].timeseries_CT))
    for scan in scans:
        mean.add(scan.timeseries_CT)
    return mean.reference()


def combinations(names: Sequence[str]) -> dict[str, list[str]]:
    """Blocks of each row of the table, by its name."""
    networks = [name for name in names if name.startswith("network")]
    learned = ["coupling", "coupling_gsr", "distilled", "amplitude", "spectrum"]
    blocks = [name for name in learned if name in names]
    trained = [name for name in networks if "untrained" not in name][:1]
    untrained = [name for name in networks if "untrained" in name][:1]
    full = trained + blocks
    rows = {name: [name] for name in (*networks, *blocks)}
    rows |= {"full": full}
    rows |= {f"full without {name}": [block for block in full if block != name] for name in full}
    without_map = [name for name in blocks if name != "distilled"]
    return rows | {"full, untrained": untrained + without_map}


def score_split(
    cohort: Cohort, fixed: Rows, only_full: bool, split: Split
) -> list[dict[str, object]]:
    """Score all rows of the table on one split, or only the rows `full …`."""
    with threadpool_limits(1, user_api="blas"):
        rows = dict(fixed) | fitted_rows(cohort.scans, split)
        rows |= {} if only_full else tangent_rows(fixed, split)
        return [
            {"scheme": split.scheme, "split": split.name, "phenotype": name} | result
            for name, kind in cohort.phenotypes.items()
            for result in _scores(cohort.participants[name], kind, rows, split, only_full)
        ]


def _scores(
    phenotype: pd.Series, kind: str, rows: Rows, split: Split, only_full: bool
) -> Iterator[dict[str, object]]:
    known = phenotype.notna().to_numpy()
    train, test = split.train[known[split.train]], split.test[known[split.test]]
    tested = phenotype.iloc[test]
    is_class = kind == "classification"
    if len(test) < MIN_TESTED or (is_class and not _has_both(tested)):
        return
    kernels = {
        name: block_kernel(features[train], features[test])
        for name, features in rows.items()
        if not name.startswith("covariance")
    }
    if not only_full:
        fits = score_connectivity(phenotype, kind, kernels, train, test)
        yield from ({"representation": name, "score": score} for name, (_, score) in fits.items())
        yield {"representation": "best_connectivity", "score": min(fits.values())[1]}
    for name, blocks in combinations(list(rows)).items():
        if name.startswith("full") or not only_full:
            _, score = score_blocks(phenotype, kind, kernels, blocks, train, test)
            yield {"representation": name, "score": score}


def _has_both(tested: pd.Series) -> bool:
    return bool(tested.nunique() == 2 and tested.value_counts().min() >= MIN_CLASS)


def score_connectivity(
    phenotype: pd.Series,
    kind: str,
    kernels: Mapping[str, Kernel],
    train: np.ndarray,
    test: np.ndarray,
) -> dict[str, tuple[float, float]]:
    """Inner loss and score of each kind of connectivity, with the better shrinkage of two."""
    fits = {}
    for name in CONNECTIVITY:
        versions = [name, f"{name}_shrunk"] if name.startswith("tangent") else [name]
        fits[name] = min(score_blocks(phenotype, kind, kernels, [v], train, test) for v in versions)
    return fits


def score_blocks(
    phenotype: pd.Series,
    kind: str,
    kernels: Mapping[str, Kernel],
    blocks: Sequence[str],
    train: np.ndarray,
    test: np.ndarray,
) -> tuple[float, float]:
    """Fit the exact probe; return the loss of its inner folds, and AUROC or r of test people."""
    weights = [_weight(name) for name in blocks]
    coordinates = sum_kernels([kernels[name] for name in blocks], weights)
    if kind == "regression":
        values = phenotype.to_numpy(float)
        fit = fit_probe(coordinates, *_with_folds(RegressionTargets(values[train])))
        return fit.inner_loss, float(pearsonr(fit.predicted_HK[:, 0], values[test]).statistic)
    classes = sorted(phenotype.dropna().astype(str).unique())
    codes = np.array([classes.index(value) if value in classes else -1 for value in phenotype])
    targets = ClassificationTargets(codes[train], tuple(classes))
    fit = fit_probe(coordinates, *_with_folds(targets))
    return fit.inner_loss, float(roc_auc_score(codes[test], fit.predicted_HK[:, 1]))


def _weight(block: str) -> float:
    # `network_untrained` is in the place of the block `networks`.
    name = "networks" if block.startswith("network") else block
    return BLOCK_WEIGHTS.get(name, 1.0)  # type: ignore[call-overload]


def _with_folds(
    targets: ClassificationTargets | RegressionTargets,
) -> tuple[ClassificationTargets | RegressionTargets, np.ndarray, list[float]]:
    probe = Probe()
    return targets, inner_folds(targets, None, probe.inner_folds), probe.strengths


def tables(scores: pd.DataFrame) -> str:
    """Means of all rows, and their differences from the best connectivity over all phenotypes."""
    texts = []
    for scheme, of_scheme in scores.groupby("scheme", sort=False):
        means = of_scheme.pivot_table(
            index="representation", columns="phenotype", values="score", sort=False
        )
        means["mean"] = means.mean(axis=1)
        wide = of_scheme.pivot_table(
            index=["split", "phenotype"], columns="representation", values="score"
        )
        over_best = wide.sub(wide["best_connectivity"], axis=0).groupby("split").mean()
        # Sites do not overlap in their test participants, so their scores are nearly independent.
        ratio = TEST_FRACTION / (1 - TEST_FRACTION) if scheme == "random" else 0.0
        zero = [0.0] * len(over_best)
        tests = {n: paired_difference(over_best[n].to_list(), zero, ratio) for n in means.index}
        for key in ("mean", "low", "high", "p"):
            means[f"over best: {key}"] = [tests[name][key] for name in means.index]
        title = f"{scheme}: {len(over_best)} splits"
        texts.append(f"{title}\n{means.round(4).to_string()}")
    return "\n\n".join(texts)


def main() -> None:
    """Score all representations of a data set."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=("abide", "rpn"))
    parser.add_argument("source", type=Path, help="folder of the shared data")
    parser.add_argument("--network", action="append", default=[], help="network…=FILE of `embed`")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--full-beside", type=Path, help="earlier scores; see above")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    cohort = load(chosen.name, chosen.source)
    networks = {name: Path(path) for name, path in (text.split("=") for text in chosen.network)}
    fixed = fixed_rows(cohort, networks)
    earlier = pd.DataFrame()
    if chosen.full_beside:
        earlier = pd.read_csv(chosen.full_beside, sep="\t")
        earlier = earlier[~earlier["representation"].str.startswith("full")]
    score = partial(score_split, cohort, fixed, chosen.full_beside is not None)
    results = list[dict[str, object]]()
    with ProcessPoolExecutor(chosen.workers) as pool:
        for rows in pool.map(score, draw_splits(cohort)):
            results += rows
            scores = pd.concat([earlier, pd.DataFrame(results)])
            scores.to_csv(chosen.out, sep="\t", index=False)
            print(rows[0]["split"] if rows else "nothing to score", flush=True)
    print(tables(scores))


if __name__ == "__main__":
    main()
