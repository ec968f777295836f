"""What is done, what is left out, and what came of it, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from semantoks.artifacts.files import read_json
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import read_scan_table
from semantoks.errors import UserError


def status(results: Path) -> Iterator[str]:
    """Say per data set, model and benchmark how far the work in `results` has come.

    Raises
    ------
    UserError
        When there is no such folder.
    """
    if not results.is_dir():
        raise UserError(f"There is no folder {results}. Run snakemake first, or name its results.")
    for folder in sorted(results.glob("index/*")):
        yield _dataset(results, folder)
    for folder in sorted(results.glob("models/*")):
        yield _model(folder)
    for path in sorted(results.glob("benchmarks/*/*.json")):
        if not path.name.endswith(".provenance.json"):
            yield from _benchmark(path)
    report = results / "report" / "index.html"
    yield f"report: {report}" if report.exists() else "report: not yet written"


def _dataset(results: Path, folder: Path) -> str:
    tables = sorted(folder.glob("shard-*.tsv"))
    files = [(results / "timeseries" / folder.name).glob(f"*_{t.stem}_*.parquet") for t in tables]
    done, shards = [path for paths in files for path in paths], len(tables)
    line = f"data set {folder.name}: {len(done)} of {shards} shards have time series"
    if not done:
        return line
    scans = read_scan_table(done)
    excluded = int((scans["status"] != "ok").sum())
    return f"{line}; {len(scans) - excluded} scans used, {excluded} excluded"


def _model(folder: Path) -> str:
    metrics, description = folder / "metrics.parquet", folder / "config.json"
    if metrics.exists():
        return f"model {folder.name}: trained for {len(read_table(metrics))} epochs"
    training = read_json(description)["training"] if description.exists() else {}
    given = training.get("checkpoint")
    return f"model {folder.name}: " + (f"given, {given}" if given else "not finished")


def _benchmark(path: Path) -> Iterator[str]:
    content = read_json(path)
    metric = content["metric"]
    for scheme in content["schemes"]:
        splits = {"random": "random splits", "fixed": "fixed splits", "site": "sites left out"}
        yield (
            f"benchmark {content['dataset']} {content['phenotype']} "
            f"({metric}, {scheme['splits']} {splits[scheme['scheme']]}):"
        )
        width = max(len(row["representation"]) for row in scheme["representations"])
        for row in scheme["representations"]:
            value = row[metric]
            yield f"  {row['representation']:<{width}} {value['mean']:.3f} ± {value['sd']:.3f}"
