"""One self-contained HTML page: scores, training, motion, exclusions, settings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from semantoks import __version__
from semantoks.config import Report
from semantoks.report.figures import motion_figure, training_figure
from semantoks.report.names import METRICS, PLAIN, SCHEMES, WHATS, representation
from semantoks.report.overlap import overlaps
from semantoks.report.tasks import adjusted, task
from semantoks.store import atomic, read_json, read_table

NAMED = ["scan", "participant_id", "reason"]
SMALL_CELL = 5  # people; fewer could be known by what is said of them


def report(
    benchmarks: Sequence[Path],
    scans: Mapping[str, Path],
    metrics: Mapping[str, Path],
    cards: Mapping[str, Sequence[Path]],
    settings: Report,
    config: Mapping[str, Any],
    out: Path,
) -> None:
    """Write the report.

    Parameters
    ----------
    benchmarks : sequence of Path
        What `semantoks.benchmark` wrote.
    scans : mapping of data set to its table of scans
    metrics : mapping of model to its ``metrics.parquet``, if it was trained here
    cards : mapping of data set to what `semantoks.card` wrote of its representations
    settings : Report
    config : mapping
        The whole configuration, to be shown.
    out : Path
    """
    contents = [read_json(path) for path in benchmarks]
    tables = {name: read_table(path) for name, path in scans.items()}
    template = _environment(settings).get_template("template.html")
    limit = config["parcellation"]["max_mean_fd"]
    page = template.render(
        version=__version__,
        tasks=[task(content) for content in adjusted(contents)],
        cards=[_card(name, files, contents, settings) for name, files in cards.items() if files],
        overlaps=overlaps(tables, config),
        datasets=[_dataset(name, table, limit, settings) for name, table in tables.items()],
        models=[_model(name, metrics.get(name), about) for name, about in config["models"].items()],
        config=yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True),
    )
    with atomic(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


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

    def cell(count: int) -> str:
        """Say a number of people; not a small one, unless the report may name them."""
        return f"fewer than {SMALL_CELL}" if _small(count, settings) else str(count)

    environment.filters["cell"] = cell
    environment.tests["small"] = lambda count: _small(count, settings)
    environment.filters["people"] = lambda n: "1 person" if cell(n) == "1" else f"{cell(n)} people"
    environment.filters["representation"] = representation
    environment.tests["plain"] = PLAIN.__contains__
    environment.filters["scheme"] = lambda name: SCHEMES[name]
    environment.filters["what"] = lambda name: WHATS.get(name, name)
    environment.filters["metric"] = lambda name: METRICS.get(name, name)
    return environment


def _small(count: int, settings: Report) -> bool:
    """Say whether a number of people could be known by what is said of them, and is hidden."""
    return 0 < count < SMALL_CELL and not settings.participants


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
    if retested and _small(retested["people"], settings):
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
    used, known = scans["status"] == "ok", scans["mean_fd"].dropna().to_numpy()
    smallest = 1 if settings.participants else SMALL_CELL
    excluded = scans[~used]
    listed = excluded[["scan", "reason"]].to_dict("records") if settings.participants else []
    kinds = pd.Series([_kind(**row) for row in excluded[NAMED].to_dict("records")], dtype=object)
    counts = {str(kind): int(count) for kind, count in kinds.value_counts().items()}
    # Beside the other counts the sum would tell a small one.
    told = not any(_small(count, settings) for count in counts.values())
    return {
        "name": name,
        "people": scans.loc[used, "participant_id"].nunique(),
        "used": int(used.sum()),
        "unused": len(excluded) if told else None,
        "coverage": float(scans.loc[used, "coverage"].mean()),
        "minutes": float(scans.loc[used, "seconds"].mean() / 60),
        "mean_fd": float(scans.loc[used, "mean_fd"].mean()),
        "excluded": listed,
        "kinds": counts,
        "figure": motion_figure(known, limit, smallest) if len(known) else None,
        "smallest": smallest,
    }


def _kind(scan: str, participant_id: str, reason: str) -> str:
    """Cut from a reason what differs from scan to scan, and the names of people and files."""
    names = {scan, participant_id, participant_id.removeprefix("sub-")}
    names = {name for name in names if len(name) > 2}  # a shorter one may be any number

    def named(word: re.Match[str]) -> str:
        whole = word[0]
        file = "sub-" in whole or "/" in whole or re.search(r"\w\.[A-Za-z]\w", whole)
        return "a file" if file or any(name in whole for name in names) else whole

    return re.split(r"[:(,]", re.sub(r"\S+", named, reason))[0].strip()
