"""All representations side by side on one phenotype, over the same splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.files import write_json
from semantoks.artifacts.tables import read_metadata, read_table
from semantoks.config import PUBLICATION, Phenotype
from semantoks.errors import UserError
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.intervals import paired_difference, summary
from semantoks.scores.metrics import CLASSIFICATION, RANGES, REGRESSION

REFERENCE = "fc"  # the bar: plain connectivity
WITHIN = "pearson_r_within_sites"
TASK = ("phenotype", "kind", "bins", "people", "classes", "left_out", "protocol", "confounds")


def metrics_of(kind: str) -> tuple[str, ...]:
    """Metrics of a kind of task, the one that is compared first."""
    return CLASSIFICATION if kind == "classification" else REGRESSION


def compare(
    scores: Sequence[tuple[dict[str, Any], pd.DataFrame]], task: Phenotype | None = None
) -> dict[str, Any]:
    """Summarise probe results that share their splits.

    Parameters
    ----------
    scores : sequence of (dict, DataFrame)
        Metadata and rows of what `semantoks.scores.probe` writes, one per representation.
    task : Phenotype, optional
        What has been published about it.

    Returns
    -------
    dict
        The task; per scheme (random or fixed splits, one site left out) and representation mean,
        sd and interval of each metric and the paired difference of the first metric from
        connectivity; learning curves.
    """
    about, rows = scores[0]
    metrics = metrics_of(about["kind"])
    schemes = list(dict.fromkeys(rows["scheme"]))
    content: dict[str, Any] = {key: about[key] for key in TASK}
    content |= {
        "metric": metrics[0],
        "schemes": [_scheme(scheme, scores, metrics) for scheme in schemes],
        "curves": _curves(scores, metrics[0]),
        "permutation": {
            meta["representation"]: meta["p_permutation"]
            for meta, _ in scores
            if meta["p_permutation"] is not None
        },
    }
    if task is not None:
        content["publication"] = task.model_dump(mode="json", include=set(PUBLICATION))
    return content


def _full(rows: pd.DataFrame, scheme: str) -> pd.DataFrame:
    return rows[(rows["scheme"] == scheme) & (rows["fraction"] == 1)].reset_index(drop=True)


def _scheme(
    scheme: str, scores: Sequence[tuple[dict[str, Any], pd.DataFrame]], metrics: Sequence[str]
) -> dict[str, Any]:
    tables = {meta["representation"]: _full(rows, scheme) for meta, rows in scores}
    first = next(iter(tables.values()))
    if any(list(rows["split"]) != list(first["split"]) for rows in tables.values()):
        raise UserError("The representations were scored on different splits. Score them again.")
    ratio = float((first["test_people"] / first["train_people"]).mean())
    found = []
    for meta, _ in scores:
        name = meta["representation"]
        rows = tables[name]
        shown = [*metrics, *([WITHIN] if WITHIN in rows and rows[WITHIN].notna().any() else [])]
        row = {m: summary(rows[m].to_list(), ratio, RANGES[m]) for m in shown}
        if "pearson_r" in row and scheme != "site" and meta["shuffled_deviation"] is not None:
            row["pearson_r"] |= shuffled_interval(row["pearson_r"], meta["shuffled_deviation"])
        row |= {"representation": name, "features": meta["features"]}
        if REFERENCE in tables and name != REFERENCE:
            pair = rows[metrics[0]].to_list(), tables[REFERENCE][metrics[0]].to_list()
            row["difference_from_fc"] = paired_difference(*pair, ratio)
        found.append(row)
    return {
        "scheme": scheme,
        "splits": len(first),
        "held_out": [name for name in first["held_out"] if name],
        "train_people": float(first["train_people"].mean()),
        "test_people": float(first["test_people"].mean()),
        "representations": found,
    }


def shuffled_interval(about: dict[str, float], deviation: float) -> dict[str, float]:
    """Interval of a mean correlation by how much it varies when the phenotype is shuffled.

    Splits train on people whom others test, so their correlations go up and down together, more
    than Nadeau and Bengio's correction knows: without an effect its 95 % intervals cover 88 to 90 %
    (docs/results.md). A correlation varies less the larger it is, by 1 − r²; only what is beyond
    chance counts as large.
    """
    beyond = max(abs(about["mean"]) - 1.96 * deviation, 0.0)
    margin = 1.96 * deviation * (1 - beyond**2)
    return {"low": max(about["mean"] - margin, -1.0), "high": min(about["mean"] + margin, 1.0)}


def _curves(
    scores: Sequence[tuple[dict[str, Any], pd.DataFrame]], metric: str
) -> dict[str, list[dict[str, float]]]:
    """Mean score by number of training people, of the representations that have a curve."""
    curves = {}
    for meta, rows in scores:
        random = rows[rows["scheme"] == "random"]
        if random["fraction"].nunique() > 1:
            groups = random.groupby("fraction")
            curves[meta["representation"]] = [
                {
                    "train_people": float(part["train_people"].mean()),
                    "mean": float(part[metric].mean()),
                    "sd": float(part[metric].std()),
                }
                for _, part in groups
            ]
    bar = curves.get(REFERENCE)
    for name, curve in curves.items():
        if bar is not None and name != REFERENCE:
            curve[-1]["worth"] = worth(curve, bar)
    return curves


def worth(curve: Sequence[dict[str, float]], bar: Sequence[dict[str, float]]) -> float:
    """How many times its labelled people a representation is worth, against connectivity.

    2 means that half of the people are enough for what connectivity reaches with all; ½ that
    connectivity needs only half of them for what the representation reaches with all. Between two
    sizes the score is taken to be linear in the logarithm of the size; beyond the smallest size
    nothing is known, and the factor is that of the smallest.
    """
    ahead = curve[-1]["mean"] >= bar[-1]["mean"]
    faster, slower = (curve, bar) if ahead else (bar, curve)
    sizes = np.log([point["train_people"] for point in faster])
    best = np.maximum.accumulate([point["mean"] for point in faster])
    reached = int(np.searchsorted(best, slower[-1]["mean"]))  # the first of a plateau
    before = max(reached - 1, 0)
    ends = slice(before, reached + 1)
    needed = float(np.exp(np.interp(slower[-1]["mean"], best[ends], sizes[ends])))
    factor = slower[-1]["train_people"] / needed
    return factor if ahead else 1 / factor


def benchmark(
    settings: BenchmarkSettings, *, scores: Sequence[Path], dataset: str, out: Path
) -> list[Path]:
    """Write the comparison of several probe results of one phenotype of `dataset`."""
    loaded = [(read_metadata(path), read_table(path)) for path in scores]
    if len({about["phenotype"] for about, _ in loaded}) != 1:
        raise UserError("A benchmark compares representations on one phenotype, not on several.")
    write_json(out, {"dataset": dataset} | compare(loaded, settings.phenotype))
    return [out]
