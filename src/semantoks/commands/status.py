"""What is done, what is excluded, and the scores, in a few lines."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from semantoks.artifacts.files import read_json
from semantoks.artifacts.provenance import SUFFIX
from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import included_scans, read_scan_table
from semantoks.commands.configuration import read_configuration
from semantoks.commands.left_out import left_out_lines
from semantoks.commands.to_do import to_do_lines
from semantoks.commands.workflow import has_snakemake
from semantoks.config import Config
from semantoks.config.sharing import MARK
from semantoks.config.validation import validated
from semantoks.config.variants import read_variants
from semantoks.errors import UserError
from semantoks.scores.benchmark.comparison import Comparison
from semantoks.scores.participants import LEFT_OUT

SCHEMES = {"random": "random splits", "fixed": "fixed splits", "site": "sites left out"}


class Chosen(NamedTuple):
    """What a configuration names; results may hold more, of earlier ones.

    Attributes
    ----------
    datasets : collection of str
    models : collection of str
    phenotypes : mapping of str to (collection of str)
        Of each data set.
    variants : collection of str
    atlases : mapping of str to str
        Of the main analysis (an empty name) and of each variant.
    """

    datasets: Collection[str]
    models: Collection[str]
    phenotypes: Mapping[str, Collection[str]]
    variants: Collection[str]
    atlases: Mapping[str, str]

    @classmethod
    def of(cls, path: Path) -> Chosen:
        """Read a configuration.

        Raises
        ------
        UserError
            When it cannot be read, or a key is wrong.
        """
        content = read_configuration(path)
        config = validated(Config, content, str(path))
        variants = read_variants(content, config, str(path))
        atlases = {"": config.atlas} | {name: v.atlas for name, v in variants.items()}
        phenotypes = {name: list(d.phenotypes) for name, d in config.datasets.items()}
        models = [*config.models, *config.scaled_models]
        return cls(list(config.datasets), models, phenotypes, list(variants), atlases)

    def has(self, kind: str, name: str, phenotype: str = "") -> bool:
        """Whether the configuration names a data set, a model or a benchmark."""
        # What a variant makes has its name behind that of the data set or model.
        name, _, variant = name.partition(MARK)
        if variant and variant not in self.variants:
            return False
        if kind == "benchmark":
            return phenotype in self.phenotypes.get(name, ())
        return name in (self.datasets if kind == "data set" else self.models)

    def atlas_of(self, name: str) -> str:
        """Return the atlas of a data set of the main analysis or of a variant."""
        return self.atlases.get(name.partition(MARK)[2], self.atlases[""])


def status(results: Path, config: Path | None = None) -> Iterator[str]:
    """Yield lines about each data set, model and benchmark below a folder of results.

    Parameters
    ----------
    results : Path
    config : Path, optional
        The configuration. With it, only what it names is shown, and the steps that are left.

    Raises
    ------
    UserError
        When there is no such folder, or the configuration cannot be read.
    """
    chosen = Chosen.of(config) if config else None
    if (results / "results").is_dir():
        results = results / "results"  # the folder of a run was named
    if not results.is_dir():
        raise UserError(
            f"There is no folder {results}. `semantoks run` makes it. If your results are in "
            "another folder: semantoks status FOLDER"
        )
    others = list[str]()
    for kind, name, lines in _parts(results, chosen):
        if chosen is None or chosen.has(kind, *name):
            yield from lines
        else:
            others.append(" ".join((kind, *name)))
    if config and others:
        yield f"not in {config}, of earlier runs: {', '.join(others)}"
    report = results / "report" / "index.html"
    yield f"report: {report}" if report.exists() else "report: not yet written"
    if config is None:
        yield "to do: not known without the configuration; name it by --configuration FILE"
    elif has_snakemake():
        yield from to_do_lines(config)


def _parts(
    results: Path, chosen: Chosen | None
) -> Iterator[tuple[str, tuple[str, ...], Iterator[str]]]:
    """Yield kind, name and lines of everything that was made."""
    for folder in sorted(results.glob("index/*")):
        left_out = left_out_lines(results, folder.name, listed=None)
        atlas = chosen.atlas_of(folder.name) if chosen else "*"
        line = _dataset_line(results, folder, atlas)
        yield "data set", (folder.name,), chain([line], left_out)
    for folder in sorted(results.glob("models/*")):
        yield "model", (folder.name,), iter([_model_line(folder)])
    for path in sorted(results.glob("benchmarks/*/*.json")):
        if not path.name.endswith(SUFFIX):
            comparison = Comparison.model_validate(read_json(path))
            yield "benchmark", (path.parent.name, path.stem), _benchmark_lines(comparison)


def _dataset_line(results: Path, folder: Path, atlas: str) -> str:
    tables = sorted(folder.glob("shard-*.tsv"))
    made = results / "timeseries" / folder.name
    files = [made.glob(f"atlas-{atlas}_{t.stem}_*.parquet") for t in tables]
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
