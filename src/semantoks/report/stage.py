"""One self-contained HTML page: scores, training, motion, exclusions, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from semantoks import __version__
from semantoks.artifacts.files import atomic, read_json
from semantoks.artifacts.tables import read_table
from semantoks.config import Report
from semantoks.report.figures import motion_figure, training_figure
from semantoks.report.names import METRICS, PLAIN, SCHEMES, WHATS, representation
from semantoks.report.overlap import overlaps
from semantoks.report.privacy import (
    SMALL_CELL,
    cell,
    coarse,
    kind_of_exclusion,
    scans_of_people,
    small,
)
from semantoks.report.settings import ReportSettings
from semantoks.report.tasks import adjusted, task

NAMED = ["scan", "participant_id", "reason"]


def report(
    settings: ReportSettings,
    *,
    benchmarks: Sequence[Path],
    scans: Sequence[Path],
    metrics: Sequence[Path],
    cards: Sequence[Path],
    out: Path,
) -> list[Path]:
    """Write the report.

    Parameters
    ----------
    settings : ReportSettings
    benchmarks : sequence of Path
        What `semantoks.scores.benchmark` wrote.
    scans : sequence of Path
        Tables of scans, ``<dataset>.parquet``.
    metrics : sequence of Path
        ``<model>/metrics.parquet`` of the models that were trained here.
    cards : sequence of Path
        What `semantoks.scores.card` wrote, ``<dataset>/<representation>.json``.
    out : Path

    Returns
    -------
    list of Path
        `out`.
    """
    config, shown = settings.config.model_dump(mode="json"), settings.report
    contents = [read_json(path) for path in benchmarks]
    if not shown.participants:
        contents = [coarse(content) for content in contents]
    tables = {path.stem: read_table(path) for path in scans}
    losses = {path.parent.name: path for path in metrics}
    card_files = {
        name: [path for path in cards if path.parent.name == name] for name in config["datasets"]
    }
    template = _environment(shown).get_template("template.html")
    limit = config["parcellation"]["max_mean_fd"]
    page = template.render(
        version=__version__,
        rounded=None if shown.participants else SMALL_CELL,
        tasks=[task(content) for content in adjusted(contents)],
        cards=[_card(name, files, contents, shown) for name, files in card_files.items() if files],
        overlaps=overlaps(tables, config),
        datasets=[_dataset(name, table, limit, shown) for name, table in tables.items()],
        models=[_model(name, losses.get(name), about) for name, about in config["models"].items()],
        config=yaml.safe_dump(config, sort_keys=False, allow_unicode=True),
    )
    with atomic(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return [out]


def _environment(settings: Report) -> Environment:
    environment = Environment(
        loader=PackageLoader("semantoks", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["score"] = lambda value: "–" if value != value else _number(value, "")
    environment.filters["signed"] = lambda value: _number(value, "+")
    environment.filters["p"] = _p

    told = partial(cell, settings=settings)
    environment.filters["cell"] = told
    environment.filters["people"] = lambda n: "1 person" if told(n) == "1" else f"{told(n)} people"
    environment.filters["scans"] = partial(scans_of_people, settings=settings)
    environment.filters["representation"] = representation
    environment.tests["plain"] = PLAIN.__contains__
    environment.filters["scheme"] = lambda name: SCHEMES[name]
    environment.filters["what"] = lambda name: WHATS.get(name, name)
    environment.filters["metric"] = lambda name: METRICS.get(name, name)
    return environment


def _p(p: float) -> str:
    if p != p:
        return "–"
    return "< 0.001" if p < 0.001 else _number(p, "")


def _number(value: float, sign: str) -> str:
    return f"{value:{sign}.3f}".replace("-", "−")


def _card(
    dataset: str, files: Sequence[Path], benchmarks: Sequence[dict[str, Any]], settings: Report
) -> dict[str, Any]:
    """Gather what can be read from each representation of a data set: phenotypes and the rest."""
    told = {b["phenotype"]: b for b in benchmarks if b["dataset"] == dataset}
    contents = {path.stem: read_json(path) for path in files}
    every = [row for content in contents.values() for row in content["leakage"]]
    columns = {row["what"]: row for row in every}
    rows = [
        {
            "representation": name,
            "leaks": {row["what"]: row["mean"] for row in content["leakage"]},
            "scores": {phenotype: _score_of(name, about) for phenotype, about in told.items()},
            "retest": content["retest"],
        }
        for name, content in contents.items()
    ]
    retested = next((c["retest"] for c in contents.values() if c["retest"]), None)
    if retested and small(retested["people"], settings):
        retested = None
    metrics = {phenotype: about["metric"] for phenotype, about in told.items()}
    return {
        "dataset": dataset,
        "phenotypes": metrics,
        "columns": columns,
        "rows": rows,
        "retested": retested,
    }


def _model(name: str, metrics: Path | None, about: Mapping[str, Any]) -> dict[str, Any]:
    table = None if metrics is None else read_table(metrics)
    trained = table is not None and len(table) > 0
    return {
        "name": name,
        "checkpoint": about["checkpoint"],
        "figure": training_figure(table) if trained else None,
    }


def _score_of(representation: str, benchmark: dict[str, Any]) -> float:
    """Score of a representation in the first scheme of a benchmark."""
    rows = benchmark["schemes"][0]["representations"]
    value: float = next(
        row[benchmark["metric"]]["mean"] for row in rows if row["representation"] == representation
    )
    return value


def _dataset(name: str, scans: pd.DataFrame, limit: float, settings: Report) -> dict[str, Any]:
    used = scans["status"] == "ok"
    smallest = 1 if settings.participants else SMALL_CELL
    excluded = scans[~used]
    listed = excluded[["scan", "reason"]].to_dict("records") if settings.participants else []
    told = [kind_of_exclusion(**row) for row in excluded[NAMED].to_dict("records")]
    kinds = pd.Series(told, index=excluded.index, dtype=object)
    of_kind = {str(kind): table for kind, table in excluded.groupby(kinds, sort=False)}
    moved = scans.dropna(subset="mean_fd")
    return {
        "name": name,
        "people": scans.loc[used, "participant_id"].nunique(),
        "used": int(used.sum()),
        "unused": excluded,
        "coverage": float(scans.loc[used, "coverage"].mean()),
        "minutes": float(scans.loc[used, "seconds"].mean() / 60),
        "mean_fd": float(scans.loc[used, "mean_fd"].mean()),
        "excluded": listed,
        "kinds": dict(sorted(of_kind.items(), key=lambda kind: -len(kind[1]))),
        "figure": motion_figure(moved, limit, smallest) if len(moved) else None,
        "smallest": smallest,
    }
