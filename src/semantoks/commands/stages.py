"""The stages as the command line sees them: which files each reads and what it calls.

Libraries are imported inside the functions: a stage loads only what its environment has.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantoks.config import (
    AtlasFiles,
    Dataset,
    Model,
    Origin,
    Parcellation,
    Preprocessing,
    Probe,
    Report,
    Simulation,
    Splits,
    Task,
)
from semantoks.system.memory import advice_when_memory_ends, keep_freed_memory

Run = Callable[[Namespace, dict[str, Any]], Sequence[Path] | None]


@dataclass(frozen=True)
class Stage:
    """One stage: what it does, its input files, other options, and its function.

    The function may return artifacts that it wrote beside ``--out``.
    ``one`` and ``many`` name options that take one input path and several; ``text`` those that
    take a word. Every stage has ``--out`` as well.
    """

    about: str
    run: Run
    one: tuple[str, ...] = ()
    many: tuple[str, ...] = ()
    text: tuple[str, ...] = ()


def _simulate(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.data.simulate.stage import simulate

    settings, images = Simulation.model_validate(s["simulate"]), s["source"] == "bids"
    simulate(a.out.parent, Path(a.truth), settings, a.threads, images=images)


def _get_atlas(a: Namespace, s: dict[str, Any]) -> list[Path]:
    from semantoks.data.atlas.files import about_path
    from semantoks.data.atlas.stage import get_atlas

    own = AtlasFiles.model_validate(s["own"]) if s.get("own") else None
    folder = Path(s["atlas_dir"]) if s.get("atlas_dir") else None
    get_atlas(s["atlas"], a.out, Path(a.table), own, folder)
    return [Path(a.table), about_path(a.out)]


def _index(a: Namespace, s: dict[str, Any]) -> list[Path]:
    from semantoks.data.index.stage import index

    dataset = Dataset.model_validate({**s["dataset"], "path": a.data})
    return index(Path(a.data), a.participants, dataset, a.out.parent)


def _preprocess(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.artifacts.tables import read_shard
    from semantoks.data.preprocess.stage import preprocess

    scans, settings = read_shard(a.scans), s["preprocessing"]
    if a.running:
        settings = settings | {"fmriprep": settings.get("fmriprep", {}) | a.running}
    settings = Preprocessing.model_validate(settings)
    preprocess(scans, Path(a.bids), a.out, settings, a.threads, a.memory)


def _parcellate(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.artifacts.tables import read_shard
    from semantoks.data.atlas.files import Atlas
    from semantoks.data.parcellate.stage import parcellate

    atlas = Atlas.read(s["atlas"], a.atlas_image, a.atlas_table)
    settings = Parcellation.model_validate(s["parcellation"])
    origin = Origin.model_validate(s["origin"])
    parcellate(read_shard(a.scans), Path(a.data), atlas, settings, origin, a.out)


def _scans(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.data.scans.stage import list_scans

    list_scans(a.timeseries, a.out)


def _get_model(a: Namespace, s: dict[str, Any]) -> list[Path]:
    from semantoks.model.files.checkpoint import load_encoder, save

    save(load_encoder(s["checkpoint"]), a.out.parent, {"checkpoint": s["checkpoint"]})
    return [a.out.with_name("config.json")]


def _pretrain(a: Namespace, s: dict[str, Any]) -> list[Path]:
    keep_freed_memory()
    from semantoks.model.pretrain.loop import pretrain

    with advice_when_memory_ends(
        "Set models.<name>.training.accumulation to 2 or more: the losses stay the same and a step "
        "takes a part of the memory."
    ):
        pretrain(a.timeseries, Model.model_validate(s["model"]), a.out.parent, threads=a.threads)
    return [a.out.with_name(name) for name in ("config.json", "metrics.parquet")]


def _embed(a: Namespace, s: dict[str, Any]) -> None:
    keep_freed_memory()
    from semantoks.model.embed.stage import embed_files

    with advice_when_memory_ends("Give the job more memory, or a GPU that nobody else uses."):
        embed_files(
            a.model.parent,
            a.timeseries,
            a.out,
            readout=s["readout"],
            allow_mismatch=s["allow_mismatch"],
            threads=a.threads,
        )


def _represent(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.scores.represent.stage import represent

    represent(a.representation, a.timeseries, a.participants, a.out, s.get("site_column"))


def _split(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.scores.split.stage import split

    split(
        a.participants,
        a.scans,
        s["phenotype"],
        Task.model_validate(s["task"]),
        Splits.model_validate(s["splits"]),
        a.out,
        site_column=s["site_column"],
        group_column=s["group_column"],
    )


def _probe(a: Namespace, s: dict[str, Any]) -> list[Path]:
    from semantoks.scores.probe.stage import probe

    return probe(
        a.features,
        a.splits,
        a.representation,
        Probe.model_validate(s["probe"]),
        a.out,
        confounds=next(iter(a.confounds), None),
        column=s["column"],
        site_column=s["site_column"],
    )


def _card(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.scores.card.stage import card

    probe = Probe.model_validate(s["probe"])
    columns = {key: s[key] for key in ("site_column", "group_column")}
    card(a.features, a.participants, a.scans, probe, a.out, **columns)


def _benchmark(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.scores.benchmark.stage import benchmark

    benchmark(a.scores, a.dataset, Task.model_validate(s["task"]), a.out)


def _report(a: Namespace, s: dict[str, Any]) -> None:
    from semantoks.report.stage import report

    config = s["config"]
    scans = {path.stem: path for path in a.scans}
    metrics = {path.parent.name: path for path in a.metrics}
    cards = {name: _below(a.cards, name) for name in config["datasets"]}
    settings = Report.model_validate(s["report"])
    report(a.benchmarks, scans, metrics, cards, settings, config, a.out)


def _below(paths: list[Path], folder: str) -> list[Path]:
    """Files whose own folder bears the name of a data set or model."""
    return [path for path in paths if path.parent.name == folder]


STAGES: dict[str, Stage] = {
    "simulate": Stage("make up a raw BIDS data set", _simulate, text=("truth",)),
    "get-atlas": Stage(
        "write an atlas: image and table", _get_atlas, many=("files",), text=("table",)
    ),
    "index": Stage(
        "list the scans and people of a data set", _index, one=("participants",), text=("data",)
    ),
    "preprocess": Stage("preprocess one shard", _preprocess, one=("scans",), text=("bids",)),
    "parcellate": Stage(
        "average one shard over an atlas",
        _parcellate,
        one=("scans", "atlas-image", "atlas-table", "atlas-about"),
        many=("derivatives", "regions"),
        text=("data",),
    ),
    "scans": Stage("list the scans of all shards, used or excluded", _scans, many=("timeseries",)),
    "get-model": Stage("take a trained model", _get_model, many=("files",)),
    "pretrain": Stage("pretrain a model", _pretrain, many=("timeseries",)),
    "embed": Stage(
        "embed scans with a model", _embed, one=("model", "config"), many=("timeseries",)
    ),
    "represent": Stage(
        "write a representation that needs no model",
        _represent,
        one=("participants",),
        many=("timeseries",),
        text=("representation",),
    ),
    "split": Stage("draw training and test people", _split, one=("participants", "scans")),
    "probe": Stage(
        "score a representation, or several stacked",
        _probe,
        one=("splits",),
        many=("features", "confounds"),
        text=("representation",),
    ),
    "card": Stage(
        "say what else can be read from a representation",
        _card,
        one=("features", "participants", "scans"),
    ),
    "benchmark": Stage("compare representations", _benchmark, many=("scores",), text=("dataset",)),
    "report": Stage(
        "write the HTML report", _report, many=("benchmarks", "scans", "metrics", "cards")
    ),
}
