"""One self-contained HTML page: scores, training, motion, exclusions, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from semantoks import __version__
from semantoks.config import Report
from semantoks.report.figures import motion_figure, scores_figure, training_figure
from semantoks.store import atomic, read_json, read_scan_table, read_table

METRICS = {
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "accuracy": "accuracy",
    "pearson_r": "Pearson r",
    "r2": "R²",
    "mae": "MAE",
}
NAMES = {"fc": "connectivity (Pearson)", "confounds": "confounds only", "chance": "chance"}


def report(
    benchmarks: Sequence[Path],
    timeseries: Mapping[str, Sequence[Path]],
    metrics: Mapping[str, Path],
    settings: Report,
    config: Mapping[str, Any],
    out: Path,
) -> None:
    """Write the report.

    Parameters
    ----------
    benchmarks : sequence of Path
        What `semantoks.benchmark` wrote.
    timeseries : mapping of data set to its time-series files
    metrics : mapping of model to its ``metrics.parquet``
    settings : Report
    config : mapping
        The whole configuration, to be shown.
    out : Path
    """
    template = _environment().get_template("template.html")
    limit = config["parcellation"]["max_mean_fd"]
    page = template.render(
        version=__version__,
        tasks=[_task(read_json(path)) for path in benchmarks],
        datasets=[
            _dataset(name, read_scan_table(files), limit, settings)
            for name, files in timeseries.items()
        ],
        models=[
            {"name": name, "figure": training_figure(read_table(path))}
            for name, path in metrics.items()
        ],
        config=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
    )
    with atomic(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("semantoks", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = lambda value: "–" if value != value else _number(value, "")
    environment.filters["signed"] = lambda value: _number(value, "+")
    environment.filters["p"] = lambda p: "< 0.001" if p < 0.001 else _number(p, "")
    environment.filters["people"] = lambda n: "1 person" if n == 1 else f"{n} people"
    environment.filters["representation"] = lambda name: NAMES.get(name, name)
    environment.filters["metric"] = lambda name: METRICS.get(name, name)
    return environment


def _number(value: float, sign: str) -> str:
    return f"{value:{sign}.3f}".replace("-", "−")


def _task(benchmark: dict[str, Any]) -> dict[str, Any]:
    metric = benchmark["metric"]
    rows = sorted(benchmark["representations"], key=lambda row: -row[metric]["mean"])
    others = [name for name in METRICS if name in rows[0] and name != metric]
    return benchmark | {
        "rows": [row | {"verdict": _verdict(row)} for row in rows],
        "others": others,
        "figure": scores_figure(rows, metric, METRICS[metric], NAMES),
    }


def _verdict(row: dict[str, Any]) -> str:
    """Say in words how a representation compares with connectivity."""
    if row["representation"] == "fc":
        return "the bar"
    difference = row.get("difference_from_fc")
    if difference is None or difference["p"] != difference["p"]:
        return "not compared"
    if difference["p"] >= 0.05:
        return "no clear difference"
    return "above" if difference["mean"] > 0 else "below"


def _dataset(name: str, scans: pd.DataFrame, limit: float, settings: Report) -> dict[str, Any]:
    used, known = scans["status"] == "ok", scans["mean_fd"].dropna().to_numpy()
    excluded = scans[~used]
    listed = excluded[["scan", "reason"]].to_dict("records") if settings.participants else []
    # A reason may begin with a file's name; nobody is named in the counts.
    nameless = excluded["reason"].str.replace(r"\S*sub-\S+", "a file", regex=True)
    kinds = nameless.str.split(r"[:(,]").str[0].str.strip().value_counts()
    return {
        "name": name,
        "scans": len(scans),
        "people": scans["participant_id"].nunique(),
        "used": int(used.sum()),
        "people_used": scans.loc[used, "participant_id"].nunique(),
        "coverage": float(scans.loc[used, "coverage"].mean()),
        "minutes": float(scans.loc[used, "seconds"].mean() / 60),
        "mean_fd": float(scans.loc[used, "mean_fd"].mean()),
        "excluded": listed,
        "kinds": kinds.to_dict(),
        "figure": motion_figure(known, limit) if len(known) else None,
    }
