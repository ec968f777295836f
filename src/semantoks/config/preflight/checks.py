"""Checks of a configuration against the disk, made once before anything is planned."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
from itertools import islice
from pathlib import Path
from typing import Any

from semantoks.config import Config, Dataset, Model
from semantoks.config.folders import folders_hint, folders_of
from semantoks.config.preflight.events import require_events_folder
from semantoks.config.preflight.people import require_usable_values
from semantoks.config.preflight.repetition_times import require_repetition_time
from semantoks.config.preflight.representations import require_representations
from semantoks.config.preflight.tables import is_text, require_columns
from semantoks.errors import ScanError, UserError
from semantoks.gate import Gate, problem_of_file, require_file
from semantoks.people.columns import KEYS, find_column, listed

SIMULATED_COLUMNS = ("age", "sex", "group", "trait", "null")
NOT_PATHS = ("values", "published", "sources", "missing_values", "participant_pattern")
SOME_PEOPLE = 5  # whose images tell raw data from derivatives


def require_files(config: Config, source: str) -> None:
    """Check that what the configuration names is there: data, columns, atlas, models, Slurm.

    Parameters
    ----------
    config : Config
    source : str
        Name of the configuration file, for messages.

    Raises
    ------
    UserError
        For the first thing that is missing.
    """
    _require_full_paths(config.model_dump(), source)
    for name, dataset in config.datasets.items():
        _require_dataset(name, dataset, config, source)
    _require_atlas(config, source)
    _require_models(config)
    require_representations(config)


def _require_full_paths(content: Any, source: str, key: str = "") -> None:
    """Refuse ``~``, which only shells expand, and NUL, which ends a path."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name not in NOT_PATHS:
                _require_full_paths(value, source, f"{key}.{name}".lstrip("."))
    elif isinstance(content, str) and "\0" in content:
        raise UserError(f"{key} has the character NUL, which no path can have. Remove it.")
    elif isinstance(content, str) and re.match(r"~[\w.-]*(/|$)", content):
        raise UserError(
            f"{key} is '{content}' in {source}, where ~ is not replaced by your home folder. Write "
            f"{Path(content).expanduser() if content.startswith('~/') else 'the whole path'}."
        )


def _require_dataset(name: str, dataset: Dataset, config: Config, source: str) -> None:
    """Check folders, files and the table of participants of a data set."""
    if dataset.path and not Path(dataset.path).exists() and not _is_below(dataset, dataset.path):
        raise UserError(f"datasets.{name}.path: there is no {dataset.path}.")
    gate = Gate(Path(dataset.path or ""), [*map(Path, dataset.link_targets)])
    _require_targets(name, gate)
    if dataset.path and dataset.source == "bids" and dataset.template is None:
        _require_raw(name, gate, folders_of(gate.root, dataset.folders, name))
    for key, phenotype in dataset.phenotypes.items():
        if phenotype.splits_file and not Path(phenotype.splits_file).exists():
            where = f"datasets.{name}.phenotypes.{key}.splits_file"
            raise UserError(f"{where}: there is no {phenotype.splits_file}.")
    _require_held_out(name, dataset)
    if dataset.exclude and not Path(dataset.exclude).is_file():
        raise UserError(f"datasets.{name}.exclude: there is no file {dataset.exclude}.")
    require_events_folder(name, dataset)
    if dataset.regions and not Path(dataset.regions).exists():
        raise UserError(f"datasets.{name}.regions: there is no {dataset.regions}.")
    if dataset.simulate:
        _require_simulated_columns(name, dataset, source)
        return
    require_repetition_time(name, dataset, config)
    if is_text(dataset):  # `index` reads the others
        _require_tables(name, dataset, gate)
        require_columns(name, dataset, config, source)
        require_usable_values(name, dataset, config)


def _require_tables(name: str, dataset: Dataset, gate: Gate) -> None:
    """Check that the folder and the tables of participants are there."""
    folder = Path(dataset.path or "")
    if not folder.exists():
        raise UserError(
            f"datasets.{name}: there is no folder {folder}. Set `path` to that of the data."
        )
    for path in dataset.participants_tables():
        if not path.exists():
            inside = Path(dataset.path or "") / path.name
            hint = f" There is {inside}." if inside != path and inside.is_file() else ""
            raise UserError(
                f"datasets.{name}: there is no table of participants {path}.{hint} Name it as "
                "`participants` (a row's `table`), or a BIDS folder with a participants.tsv as "
                f"`path`.{_further_down(dataset)}"
            )
        if gate.has(path) and (problem := gate.departure_of(path)):
            raise UserError(f"datasets.{name}: {problem}.")


def _require_held_out(name: str, dataset: Dataset) -> None:
    """Check that the file is there, and that a number suffices for the parts of each phenotype."""
    hold_out = dataset.hold_out
    if isinstance(hold_out, str) and not Path(hold_out).is_file():
        raise UserError(f"datasets.{name}.hold_out: there is no file {hold_out}.")
    if not isinstance(hold_out, int):
        return
    for key, phenotype in dataset.phenotypes.items():
        sizes = (phenotype.train_people, phenotype.validation_people, phenotype.test_people)
        needed = sum(filter(None, sizes))
        if needed > hold_out:
            raise UserError(
                f"datasets.{name}.hold_out is {hold_out}, but phenotypes.{key} needs {needed} "
                "people for its parts (train_people, validation_people, test_people), and only "
                "those who are held out are scored. Hold out more, or make the parts smaller."
            )


def _require_targets(name: str, gate: Gate) -> None:
    for folder in gate.targets:
        if not folder.is_dir() or folder.resolve() == Path("/"):
            raise UserError(
                f"datasets.{name}.link_targets: {folder} is no folder, or leads to the root of the "
                "disk. Name the folder that links of the data set lead to."
            )


def _further_down(dataset: Dataset) -> str:
    """Say if what looks like no BIDS data set consists of several, further down."""
    root = Path(dataset.path or "")
    is_bids = dataset.source == "bids" and not (dataset.folders or dataset.template)
    hint = folders_hint(root) if is_bids and not any(root.glob("sub-*")) else ""
    return hint and f" {hint}"


def _is_below(dataset: Dataset, folder: str) -> bool:
    """Whether a table of participants is in the folder; if not, its message says it all."""
    return any(Path(folder) in path.parents for path in dataset.participants_tables())


def _require_raw(name: str, gate: Gate, folders: list[Path]) -> None:
    """Refuse derivatives, which would be preprocessed again."""
    for folder in folders:
        if _holds_derivatives(gate, folder):
            raise UserError(
                f"datasets.{name}: {folder} holds preprocessed images, but its source is `bids`, "
                "which means raw ones. Set `source: fmriprep`, or name the folder of the raw data."
            )


def _holds_derivatives(gate: Gate, folder: Path) -> bool:
    """Whether a BIDS data set says so, or the images of some people are named so."""
    try:
        file = require_file(folder / "dataset_description.json")
        description = json.loads(file.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError, ScanError):
        description = {}
    kind = description.get("DatasetType") if isinstance(description, dict) else None
    people = islice(folder.glob("sub-*"), SOME_PEOPLE)
    walked = (names for person in people for _, names in gate.walk(person))
    images = [name for names in walked for name in fnmatch.filter(names, "*_bold.nii*")]
    derived = [image for image in images if re.search("_(space|desc)-", image)]
    return len(derived) == len(images) and bool(derived or kind == "derivative")


def _require_simulated_columns(name: str, dataset: Dataset, source: str) -> None:
    named = [phenotype.columns_of(key) for key, phenotype in dataset.phenotypes.items()]
    for columns in [*named, *(getattr(dataset, key) for key in (*KEYS.values(), "group_column"))]:
        if columns and not find_column(columns, SIMULATED_COLUMNS):
            raise UserError(
                f"Data set {name} has no column {listed(columns)} in {dataset.participants} "
                f"(columns: {', '.join(SIMULATED_COLUMNS)}). Name an existing column in {source}."
            )


def _require_atlas(config: Config, source: str) -> None:
    if config.atlas_dir and not Path(config.atlas_dir).is_dir():
        raise UserError(
            f"{source}: atlas_dir is {config.atlas_dir}, expected a folder with the files of the "
            "atlas. Correct the path, or remove the key to download them."
        )
    files = config.atlases.get(config.atlas)
    for path in (files.image, files.table) if files else ():
        if path is not None and not Path(path).exists():
            raise UserError(
                f"atlases.{config.atlas}: there is no {path}. Name an existing file in {source}."
            )
        if path is not None and (problem := problem_of_file(Path(path))):
            raise UserError(f"atlases.{config.atlas}: {path} cannot be used: {problem}.")


def _require_models(config: Config) -> None:
    """Check that given models exist and that Slurm is here for models on several nodes."""
    for name, model in config.models.items():
        checkpoint = model.checkpoint
        if checkpoint and not checkpoint.startswith("hf:") and not Path(checkpoint).exists():
            raise UserError(
                f"models.{name}.checkpoint: there is no {checkpoint}. Name a folder with "
                "encoder.safetensors and config.json, a .pth file, or an id on the Hugging Face "
                "hub (hf:owner/name)."
            )
        if checkpoint and not checkpoint.startswith("hf:"):
            _require_connectome(name, model, Path(checkpoint))
        if model.nodes > 1 and shutil.which("srun") is None:
            raise UserError(
                f"models.{name}.nodes: {model.nodes} needs Slurm, there is no `srun` here. "
                "Set nodes to 1, or run on a cluster with --workflow-profile profiles/slurm."
            )


def _require_connectome(name: str, model: Model, checkpoint: Path) -> None:
    """Check that a given model has the file that its readouts need."""
    needing = [readout for readout in model.readouts if model.needs_connectome(readout)]
    folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
    is_reference = checkpoint.suffix == ".pth"
    if needing and (is_reference or not (folder / "connectome.safetensors").is_file()):
        what = "is of the reference implementation" if is_reference else "is a model"
        raise UserError(
            f"models.{name}.readouts has {needing[0]}, but {checkpoint} {what} without "
            "connectome.safetensors, which it needs. Take it out (of `full`, take coupling, "
            "coupling_gsr and distilled out of `blocks`), or put the file beside the model."
        )
