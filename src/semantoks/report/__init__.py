"""One self-contained HTML page: scores, training, motion, exclusions, settings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
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
    if not settings.participants:
        contents = [_coarse(content) for content in contents]
    tables = {name: read_table(path) for name, path in scans.items()}
    template = _environment(settings).get_template("template.html")
    limit = config["parcellation"]["max_mean_fd"]
    page = template.render(
        version=__version__,
        rounded=None if settings.participants else SMALL_CELL,
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

    cell = partial(_cell, settings=settings)
    environment.filters["cell"] = cell
    environment.filters["people"] = lambda n: "1 person" if cell(n) == "1" else f"{cell(n)} people"
    environment.filters["scans"] = partial(_scans, settings=settings)
    environment.filters["representation"] = representation
    environment.tests["plain"] = PLAIN.__contains__
    environment.filters["scheme"] = lambda name: SCHEMES[name]
    environment.filters["what"] = lambda name: WHATS.get(name, name)
    environment.filters["metric"] = lambda name: METRICS.get(name, name)
    return environment


def _small(people: float, settings: Report) -> bool:
    """Say whether so few people could be known by what is said of them, and are hidden."""
    return 0 < people < SMALL_CELL and not settings.participants


def _cell(count: float, settings: Report) -> str:
    """Say a number of people or scans; rounded, or a small one would follow from others."""
    if settings.participants:
        return f"{count:.0f}"
    return f"fewer than {SMALL_CELL}" if _small(count, settings) else str(_rounded(count))


def _scans(scans: pd.DataFrame, settings: Report) -> str:
    """Say a number of scans; not of few people's."""
    people = scans["participant_id"].nunique()
    if _small(people, settings):
        return f"of {_cell(people, settings)} people"
    return _cell(len(scans), settings)


def _rounded(count: float) -> int:
    return SMALL_CELL * round(count / SMALL_CELL)


def _coarse(benchmark: dict[str, Any]) -> dict[str, Any]:
    """Round the numbers of people of a benchmark that its figures and published scores tell."""
    curves = {
        name: [point | {"train_people": _rounded(point["train_people"])} for point in curve]
        for name, curve in benchmark["curves"].items()
    }
    return benchmark | {"people": _rounded(benchmark["people"]), "curves": curves}


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
    used = scans["status"] == "ok"
    smallest = 1 if settings.participants else SMALL_CELL
    excluded = scans[~used]
    listed = excluded[["scan", "reason"]].to_dict("records") if settings.participants else []
    told = [_kind(**row) for row in excluded[NAMED].to_dict("records")]
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


def _kind(scan: str, participant_id: str, reason: str) -> str:
    """Cut from a reason what differs from scan to scan, and the names of people and files."""
    names = sorted({scan, participant_id, participant_id.removeprefix("sub-")} - {""}, key=len)
    alone = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in reversed(names))
    within = [re.escape(name) for name in names if len(name) > 2]  # a shorter one is in any word
    # A name, a folder's, or an extension with a letter in it makes a word the name of a file.
    file = "|".join(["\0", "sub-", "/", r"\w\.\w*[A-Za-z]\w", *within])
    words = re.sub(alone, "\0", reason).split()
    nameless = " ".join("\0" if re.search(file, word) else word for word in words)
    return re.split(r"[:(,]", re.sub(r"\0( \0)*", "a file", nameless))[0].strip()
