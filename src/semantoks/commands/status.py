"""What is done, what is excluded, and the scores, in a few lines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from semantoks.artifacts.files import read_json
from semantoks.artifacts.provenance import SUFFIX
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import included_scans, read_scan_table
from semantoks.commands.left_out import left_out_lines
from semantoks.errors import UserError
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.participants import LEFT_OUT

SCHEMES = {"random": "random splits", "fixed": "fixed splits", "site": "sites left out"}


def status(results: Path) -> Iterator[str]:
    """Yield lines about each data set, model and benchmark below a folder of results.

    Raises
    ------
    UserError
        When there is no such folder.
    """
    if not results.is_dir():
        raise UserError(f"There is no folder {results}. Run snakemake first, or name its results.")
    for folder in sorted(results.glob("index/*")):
        yield _dataset_line(results, folder)
        yield from left_out_lines(results, folder.name, listed=None)
    for folder in sorted(results.glob("models/*")):
        yield _model_line(folder)
    for path in sorted(results.glob("benchmarks/*/*.json")):
        if not path.name.endswith(SUFFIX):
            yield from _benchmark_lines(Comparison.model_validate(read_json(path)))
    report = results / "report" / "index.html"
    yield f"report: {report}" if report.exists() else "report: not yet written"


def _dataset_line(results: Path, folder: Path) -> str:
    tables = sorted(folder.glob("shard-*.tsv"))
    files = [(results / "timeseries" / folder.name).glob(f"*_{t.stem}_*.parquet") for t in tables]
    done = [path for paths in files for path in paths]
    line = f"data set {folder.name}: {len(done)} of {len(tables)} shards have time series"
    if not done:
        return line
    scans = read_scan_table(done)
    excluded = len(scans) - len(included_scans(scans))
    return f"{line}; {len(scans) - excluded} scans used, {excluded} excluded"


def _model_line(folder: Path) -> str:
    metrics, description = folder / "metrics.parquet", folder / "config.json"
    training = read_json(description)["training"] if description.exists() else {}
    if metrics.exists():
        held = training.get("held_out_people", 0)
        note = f", {held} participant(s) held out" if held else ""
        return f"model {folder.name}: trained for {len(read_table(metrics))} epochs{note}"
    checkpoint = training.get("checkpoint")
    return f"model {folder.name}: " + (f"given, {checkpoint}" if checkpoint else "not finished")


def _benchmark_lines(comparison: Comparison) -> Iterator[str]:
    """Yield who was left out of a benchmark, and its scores."""
    metric = comparison.metric
    for reason, count in comparison.left_out.items():
        if count:
            yield (
                f"benchmark {comparison.dataset} {comparison.phenotype}: left out {count} "
                f"({LEFT_OUT.get(reason, reason)})"
            )
    for scheme in comparison.schemes:
        yield (
            f"benchmark {comparison.dataset} {comparison.phenotype} "
            f"({metric}, {scheme.splits} {SCHEMES[scheme.scheme]}):"
        )
        width = max(len(row.representation) for row in scheme.representations)
        for row in scheme.representations:
            value = row.metrics[metric]
            missing = row.people_without_features
            members = "participants" if comparison.persons is None else "blocks"
            note = f" ({missing} of {comparison.people} {members} have no features)"
            score = f"{value.mean:.3f} ± {value.sd:.3f}"
            score = "n/a (the report gives the reason)" if math.isnan(value.mean) else score
            yield f"  {row.representation:<{width}} {score}" + (note if missing else "")
