"""What the page shows of a benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from semantoks.report.figures import curves_figure, scores_figure
from semantoks.report.names import METRICS, representation
from semantoks.scores.intervals import holm


def adjusted(benchmarks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Add to each difference its p-value after Holm, over the tasks of the page.

    One family per scheme and representation: as many tests as there are tasks.
    """
    families: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for benchmark in benchmarks:
        for scheme in benchmark["schemes"]:
            for row in scheme["representations"]:
                if "difference_from_fc" in row:
                    key = scheme["scheme"], row["representation"]
                    families.setdefault(key, []).append(row["difference_from_fc"])
    for family in families.values():
        for difference, p in zip(family, holm([d["p"] for d in family]), strict=True):
            difference["p_holm"] = p
    yield from benchmarks


def task(benchmark: dict[str, Any]) -> dict[str, Any]:
    """Prepare one task for the page: rows in order of their scores, verdicts, figures."""
    metric = benchmark["metric"]
    schemes = [_scheme(scheme, metric, benchmark["permutation"]) for scheme in benchmark["schemes"]]
    worths = {name: curve[-1].get("worth") for name, curve in benchmark["curves"].items()}
    return benchmark | {
        "schemes": schemes,
        "curve": curves_figure(benchmark["curves"], METRICS[metric]) if worths else None,
        "worths": {name: worth for name, worth in worths.items() if worth is not None},
        "title": (benchmark.get("publication") or {}).get("title", ""),
        "published": _published(benchmark),
    }


def _scheme(scheme: dict[str, Any], metric: str, permutation: dict[str, float]) -> dict[str, Any]:
    rows = sorted(scheme["representations"], key=lambda row: -row[metric]["mean"])
    p = permutation if scheme["scheme"] != "site" else {}
    return scheme | {
        "rows": [
            row | {"verdict": _verdict(row), "p_permutation": p.get(row["representation"])}
            for row in rows
        ],
        "others": [name for name in METRICS if name in rows[0] and name != metric],
        "permuted": bool(p),
        "figure": scores_figure(rows, metric, METRICS[metric]),
    }


def _verdict(row: dict[str, Any]) -> str:
    """Say in words how a representation compares with connectivity."""
    if row["representation"] == "fc":
        return "the bar"
    difference = row.get("difference_from_fc")
    if difference is None or difference["p_holm"] != difference["p_holm"]:
        return "not compared"
    if difference["p_holm"] >= 0.05:
        return "no clear difference"
    return "above" if difference["mean"] > 0 else "below"


def _published(benchmark: dict[str, Any]) -> list[dict[str, Any]]:
    """List published scores, and ours of the same metric below them."""
    publication = benchmark.get("publication") or {}
    if not publication.get("published"):
        return []
    metric = publication["metric"]
    ours = [
        {
            "model": representation(row["representation"]),
            "value": row[metric]["mean"],
            "protocol": f"{benchmark['people']} people, {scheme['splits']} "
            f"{'sites left out' if scheme['scheme'] == 'site' else 'splits'}, "
            f"{benchmark['protocol']} probe",
            "source": "this report",
        }
        for scheme in benchmark["schemes"]
        for row in scheme["representations"]
        if metric in row and row["representation"] not in ("chance", "confounds")
    ]
    return sorted(publication["published"] + ours, key=lambda row: -row["value"])
