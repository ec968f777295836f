"""Every stage of the pipeline: its settings, its options, and the function that does the work.

Each stage is a folder with a ``stage.py``, whose function bears the stage's name and takes the
settings and the options below as keyword arguments. It is imported only when it is called, since a
stage needs only the packages of its own environment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from semantoks.config import Settings
from semantoks.data.atlas.settings import GetAtlasSettings
from semantoks.data.index.settings import IndexSettings
from semantoks.data.parcellate.settings import ParcellateSettings
from semantoks.data.preprocess.settings import PreprocessSettings
from semantoks.data.scans.settings import ScansSettings
from semantoks.data.simulate.settings import SimulateSettings
from semantoks.model.embed.settings import EmbedSettings
from semantoks.model.files.settings import GetModelSettings
from semantoks.model.pretrain.settings import PretrainSettings
from semantoks.report.settings import ReportSettings
from semantoks.scores.benchmark.settings import BenchmarkSettings
from semantoks.scores.card.settings import CardSettings
from semantoks.scores.probe.settings import ProbeSettings
from semantoks.scores.represent.settings import RepresentSettings
from semantoks.scores.split.settings import SplitSettings


@dataclass(frozen=True)
class Option:
    """One option of a stage.

    Attributes
    ----------
    name : str
        Name of the function's argument; dashes instead of underscores on the command line.
    help : str
    kind : {"input", "inputs", "path", "word", "number", "json"}
        Input files are checked against their checksums and recorded; a path is not.
    required : bool
    default
        Its value where it is left out.
    """

    name: str
    help: str
    kind: Literal["input", "inputs", "path", "word", "number", "json"]
    required: bool = True
    default: Any = None

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def parser_arguments(self) -> dict[str, Any]:
        """Arguments for `argparse.ArgumentParser.add_argument`."""
        types = {"word": str, "number": int, "json": json.loads}
        metavars = {"input": "FILE", "inputs": "FILE", "number": "N"}
        many = {"nargs": "*"} if self.kind == "inputs" else {}
        return many | {
            "help": self.help,
            "type": types.get(self.kind, Path),
            "metavar": metavars.get(self.kind, self.kind.upper()),
            "required": self.required,
            "default": self.default,
        }


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes
    ----------
    name : str
        Name of the rule, the function and (with dashes) the sub-command.
    package : str
        Its folder, as ``data.index``.
    help : str
    settings : type of Settings
        What its output depends on beside its inputs.
    out : str
        What ``--out`` is.
    options : sequence of Option
    """

    name: str
    package: str
    help: str
    settings: type[Settings]
    out: str
    options: Sequence[Option] = ()

    @property
    def command(self) -> str:
        """Name on the command line."""
        return self.name.replace("_", "-")

    @property
    def version(self) -> int:
        """Number that is raised when the stage's output changes."""
        number: int = self.settings.model_fields["version"].default
        return number

    def function(self) -> Callable[..., list[Path]]:
        """Import the function that does the work and returns the artifacts it wrote."""
        module = import_module(f"semantoks.{self.package}.stage")
        work: Callable[..., list[Path]] = getattr(module, self.name)
        return work


def _input(name: str, about: str) -> Option:
    return Option(name, about, "input")


def _inputs(name: str, about: str, *, optional: bool = False) -> Option:
    return Option(name, about, "inputs", not optional, ())


def _path(name: str, about: str) -> Option:
    return Option(name, about, "path")


def _word(name: str, about: str) -> Option:
    return Option(name, about, "word")


TIMESERIES = _inputs("timeseries", "Parquet files of regional time series.")
PARTICIPANTS = _input("participants", "Table of participants that `index` wrote.")
SCANS = _input("scans", "Table of scans that `scans` wrote.")
SHARD = _input("scans", "Table of one shard that `index` wrote (shard-NNNN.tsv).")
PROCESSES = Option(
    "threads", "Number of processes; results do not depend on it.", "number", False, 1
)
CPU_THREADS = Option(
    "threads", "Threads on a CPU; the last digits of the results depend on it.", "number", False, 1
)

_STAGES = (
    Stage(
        "simulate",
        "data.simulate",
        "Simulate a data set with known phenotypes.",
        SimulateSettings,
        "Table of participants (participants.tsv) in the folder of the new data set.",
        (_path("truth", "Folder for what was planted."), PROCESSES),
    ),
    Stage(
        "get_atlas",
        "data.atlas",
        "Write an atlas: label image and table of regions.",
        GetAtlasSettings,
        "Label image (.nii.gz).",
        (
            _path("table", "Table of regions (TSV) to write."),
            _inputs("files", "Image and table of an atlas of your own.", optional=True),
        ),
    ),
    Stage(
        "index",
        "data.index",
        "List the scans and the participants of a data set.",
        IndexSettings,
        "Table of scans (scans.parquet); the other tables are written beside it.",
        (
            _input("participants", "Table of participants (.tsv, .csv or HDF5)."),
            _path("data", "Folder of the data set, or its HDF5 file."),
        ),
    ),
    Stage(
        "preprocess",
        "data.preprocess",
        "Preprocess the raw images of one shard.",
        PreprocessSettings,
        "Folder of derivatives in fMRIPrep's layout.",
        (
            SHARD,
            _path("bids", "Folder of the raw data set."),
            PROCESSES,
            Option("memory", "Memory for fMRIPrep in MB; 0 if unknown.", "number", False, 0),
            Option(
                "running",
                "JSON: settings that change how fMRIPrep is run but not what it makes.",
                "json",
                False,
                {},
            ),
        ),
    ),
    Stage(
        "parcellate",
        "data.parcellate",
        "Average one shard over an atlas and clean the time series.",
        ParcellateSettings,
        "Time series (Parquet).",
        (
            SHARD,
            _path("data", "Folder of derivatives, or of a data set that is preprocessed already."),
            _input("atlas_image", "Label image of the atlas."),
            _input("atlas_table", "Table of its regions."),
            _input("atlas_metadata", "JSON file about the atlas."),
            _inputs("derivatives", "Folder that `preprocess` wrote.", optional=True),
            _inputs("regions", "Table of regions that the settings name.", optional=True),
        ),
    ),
    Stage(
        "scans",
        "data.scans",
        "List the scans of all shards, included and excluded.",
        ScansSettings,
        "Table of scans (Parquet).",
        (TIMESERIES,),
    ),
    Stage(
        "get_model",
        "model.files",
        "Take a trained model instead of training one.",
        GetModelSettings,
        "Weights (encoder.safetensors); config.json is written beside them.",
        (_inputs("files", "Files of a model on this machine.", optional=True),),
    ),
    Stage(
        "pretrain",
        "model.pretrain",
        "Pretrain a model on time series.",
        PretrainSettings,
        "Weights (encoder.safetensors); config.json and metrics.parquet are written beside them.",
        (TIMESERIES, CPU_THREADS),
    ),
    Stage(
        "embed",
        "model.embed",
        "Embed scans with a model.",
        EmbedSettings,
        "Representation (Parquet).",
        (
            _input("model", "Weights (encoder.safetensors) with config.json beside them."),
            TIMESERIES,
            Option("config", "The model's config.json, to record its checksum.", "input", False),
            CPU_THREADS,
        ),
    ),
    Stage(
        "represent",
        "scores.represent",
        "Write a representation that needs no model.",
        RepresentSettings,
        "Representation (Parquet).",
        (
            _word("representation", "fc, fc_gsr, partial, tangent, coskewness, confounds, chance."),
            TIMESERIES,
            PARTICIPANTS,
        ),
    ),
    Stage(
        "split",
        "scores.split",
        "Draw training and test participants for a phenotype.",
        SplitSettings,
        "Splits (Parquet).",
        (PARTICIPANTS, SCANS),
    ),
    Stage(
        "probe",
        "scores.probe",
        "Score a representation, or several stacked ones, against a phenotype.",
        ProbeSettings,
        "Scores (Parquet); predictions are written beside them.",
        (
            _word("representation", "Name of the representation in tables."),
            _inputs("features", "Its file, or those of the representations to be stacked."),
            _input("splits", "Splits of the phenotype that `split` wrote."),
            _inputs("confounds", "Representation to regress out.", optional=True),
        ),
    ),
    Stage(
        "card",
        "scores.card",
        "Measure the leakage and the test-retest reliability of a representation.",
        CardSettings,
        "Card (JSON).",
        (_input("features", "Representation."), PARTICIPANTS, SCANS),
    ),
    Stage(
        "benchmark",
        "scores.benchmark",
        "Compare representations on one phenotype.",
        BenchmarkSettings,
        "Comparison (JSON).",
        (
            _inputs("scores", "Scores of each representation that `probe` wrote."),
            _word("dataset", "Name of the data set in tables."),
        ),
    ),
    Stage(
        "report",
        "report",
        "Write the HTML report.",
        ReportSettings,
        "HTML page.",
        (
            _inputs("benchmarks", "Comparisons that `benchmark` wrote."),
            _inputs("scans", "Table of scans of each data set that `scans` wrote."),
            _inputs("metrics", "metrics.parquet of each model trained here.", optional=True),
            _inputs("cards", "Cards that `card` wrote.", optional=True),
        ),
    ),
)

STAGES = {stage.name: stage for stage in _STAGES}
