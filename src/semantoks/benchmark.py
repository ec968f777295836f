"""All representations side by side on one phenotype, over the same splits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semantoks.errors import UserError
from semantoks.statistics import CLASSIFICATION, RANGES, REGRESSION, paired_difference, summary
from semantoks.store import read_json, write_json

REFERENCE = "fc"  # the bar: plain connectivity


def compare(scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Summarise probe results that share their splits.

    Parameters
    ----------
    scores : sequence of dict
        What `semantoks.probe.probe` writes, one per representation.

    Returns
    -------
    dict
        The task, and per representation mean, sd and interval of each metric and the paired
        difference of the first metric from connectivity.
    """
    first = scores[0]
    metrics = CLASSIFICATION if first["kind"] == "classification" else REGRESSION
    ratio = first["test_people"] / (first["people"] - first["test_people"])
    by_name = {score["representation"]: score["scores"] for score in scores}
    rows = []
    for score in scores:
        row = {m: summary(score["scores"][m], ratio, RANGES[m]) for m in metrics}
        row |= {"representation": score["representation"], "features": score["features"]}
        if REFERENCE in by_name and score["representation"] != REFERENCE:
            row["difference_from_fc"] = paired_difference(
                score["scores"][metrics[0]], by_name[REFERENCE][metrics[0]], ratio
            )
        rows.append(row)
    task = {key: first[key] for key in ("phenotype", "kind", "people", "test_people", "classes")}
    counts = {key: first[key] for key in ("people_without_value", "people_without_scan")}
    repeats = len(first["scores"][metrics[0]])
    return task | counts | {"metric": metrics[0], "repeats": repeats, "representations": rows}


def benchmark(scores: Sequence[Path], dataset: str, out: Path) -> None:
    """Write the comparison of several probe results of one phenotype of `dataset`."""
    loaded = [read_json(path) for path in scores]
    if len({score["phenotype"] for score in loaded}) != 1:
        raise UserError("A benchmark compares representations on one phenotype, not on several.")
    write_json(out, {"dataset": dataset} | compare(loaded))
