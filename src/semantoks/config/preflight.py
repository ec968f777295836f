"""Checks of a configuration against the disk, made once before anything is planned."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

from semantoks.config import Config, Dataset
from semantoks.config.data import HDF5_SUFFIXES
from semantoks.errors import UserError

SIMULATED_COLUMNS = ("age", "sex", "group", "trait", "null")


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
    for name, dataset in config.datasets.items():
        _require_dataset(name, dataset, source)
    _require_atlas(config, source)
    _require_models(config)


def _require_dataset(name: str, dataset: Dataset, source: str) -> None:
    if not dataset.simulate and dataset.participants_table().suffix in HDF5_SUFFIXES:
        return  # `index` reads it
    if dataset.regions and not Path(dataset.regions).exists():
        raise UserError(f"datasets.{name}.regions: there is no {dataset.regions}.")
    columns = _columns(name, dataset)
    for column, key in _columns_needed(name, dataset).items():
        if column not in columns:
            known = ", ".join(c for c in columns if c != dataset.participant_column)
            raise UserError(
                f"{name} has no column '{column}' in {dataset.participants} (columns: {known}). "
                f"Name an existing column under {key} in {source}."
            )


def _columns_needed(name: str, dataset: Dataset) -> dict[str, str]:
    """Columns of the table of participants that the configuration names, and by which key."""
    columns = {
        phenotype.column_of(key): f"datasets.{name}.phenotypes"
        for key, phenotype in dataset.phenotypes.items()
    }
    for key in ("site_column", "group_column"):
        if column := getattr(dataset, key):
            columns[column] = f"datasets.{name}.{key}"
    return columns


def _columns(name: str, dataset: Dataset) -> list[str]:
    """Columns of the table of participants: of a simulated one, those it will have."""
    if dataset.simulate:
        return list(SIMULATED_COLUMNS)
    path = dataset.participants_table()
    if not path.exists():
        raise UserError(
            f"datasets.{name}.path: there is no {path}. Name a BIDS folder with a "
            "participants.tsv, or its table of participants as `participants`."
        )
    # Only the header: pandas would add 70 MB to Snakemake's own process.
    # utf-8-sig: Excel puts a byte order mark before the name of the first column.
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = stream.readline()
    separator = "," if path.suffix == ".csv" else "\t"
    return next(csv.reader([header], delimiter=separator), [])


def _require_atlas(config: Config, source: str) -> None:
    files = config.atlases.get(config.atlas)
    for path in (files.image, files.table) if files else ():
        if path is not None and not Path(path).exists():
            raise UserError(
                f"atlases.{config.atlas}: there is no {path}. Name an existing file in {source}."
            )


def _require_models(config: Config) -> None:
    """Check that given models exist and that Slurm is here for models on several nodes."""
    for name, model in config.models.items():
        checkpoint = model.checkpoint
        # A relative path also looks like owner/name; if it is neither, `get_model` says so.
        hub_id = checkpoint and re.match(r"[\w-][^/]*/", checkpoint)
        if checkpoint and not Path(checkpoint).exists() and not hub_id:
            raise UserError(
                f"models.{name}.checkpoint: there is no {checkpoint}. Name a folder with "
                "encoder.safetensors and config.json, a .pth file, or an id on the Hugging Face "
                "hub (owner/name)."
            )
        if model.nodes > 1 and shutil.which("srun") is None:
            raise UserError(
                f"models.{name}.nodes: {model.nodes} needs Slurm, there is no `srun` here. "
                "Set nodes to 1, or run on a cluster with --workflow-profile profiles/slurm."
            )
