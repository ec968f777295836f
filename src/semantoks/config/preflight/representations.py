"""Checks of representations that come from elsewhere."""

from __future__ import annotations

from pathlib import Path

from semantoks.config import Config
from semantoks.config.encoders import find_encoder
from semantoks.config.representations import DATASET, problem_of_format
from semantoks.errors import UserError
from semantoks.gate import LARGEST_TABLE, problem_of_file


def require_representations(config: Config) -> None:
    """Check that files of features are there for every data set that is scored, and encoders.

    Raises
    ------
    UserError
    """
    scored = [name for name, dataset in config.datasets.items() if dataset.phenotypes]
    for name, representation in config.representations.items():
        if representation.encoder:
            find_encoder(representation.encoder)
        if representation.path:
            problem = problem_of_format(representation.path, representation.ids)
            if problem:
                raise UserError(f"representations.{name}.path: {problem}.")
        for dataset in scored:
            for path in representation.files(dataset):
                _require_features(name, dataset, path)


def _require_features(name: str, dataset: str, path: str) -> None:
    if not Path(path).exists():
        raise UserError(
            f"representations.{name}: there is no {path}, which is to have the features of data "
            f"set {dataset}. Name an existing file; {DATASET} in it stands for the name of the "
            "data set."
        )
    if problem := problem_of_file(Path(path), LARGEST_TABLE):
        raise UserError(f"representations.{name}: {path} cannot be used: {problem}.")
