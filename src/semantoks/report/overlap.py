"""Participants who are both in the pretraining data of a model and in a benchmark."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from semantoks.artifacts.recordings import Match, recording_names, same_recordings
from semantoks.artifacts.timeseries import included_scans
from semantoks.config import Config, Model

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Overlap:
    """Overlap of a model's pretraining data with a data set that has phenotypes.

    Attributes
    ----------
    model, dataset : str
    known : bool
        False for a given checkpoint, whose pretraining data are not known.
    participants : int
        Participants of the data set with a usable scan.
    same_id : int
        Of those, participants whose data set was used for pretraining.
    same_scan : int
        Of those, participants with a scan that is the same recording as one used for pretraining,
        under whatever name.
    """

    model: str
    dataset: str
    known: bool
    participants: int
    same_id: int
    same_scan: int


def overlaps(scans: Mapping[str, pd.DataFrame], config: Config) -> list[Overlap]:
    """Count the overlap of each model with each data set that has phenotypes.

    Parameters
    ----------
    scans : mapping of str to DataFrame
        Table of scans by data set.
    config : Config
    """
    usable = _with_recordings({name: included_scans(table) for name, table in scans.items()})
    scored = [name for name, dataset in config.datasets.items() if dataset.phenotypes]
    return [
        overlap
        for name, model in config.models.items()
        for overlap in _of_model(name, model, usable, scored, list(config.datasets))
    ]


def _with_recordings(scans: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Name the recordings anew over all data sets, and log those that are in two of them."""
    table = pd.concat(scans, names=["dataset"]).reset_index("dataset").reset_index(drop=True)
    table["scan"] = table["dataset"] + ": " + table["scan"]
    matches = same_recordings(table)
    # Within a data set they were logged when its table of scans was made.
    _log_between_datasets(table, matches)
    table["recording"] = recording_names(table["scan"], matches)
    return {name: table[table["dataset"] == name] for name in scans}


def _log_between_datasets(table: pd.DataFrame, matches: list[Match]) -> None:
    for match in matches:
        if table["dataset"][match.first] != table["dataset"][match.second]:
            log.warning(
                "%s and %s are the same recording (r over time %.3f)",
                table["scan"][match.first],
                table["scan"][match.second],
                match.similarity,
            )


def _of_model(
    name: str,
    model: Model,
    usable: Mapping[str, pd.DataFrame],
    scored: list[str],
    every_dataset: list[str],
) -> list[Overlap]:
    """Count the overlap of one model with the data sets in `scored`."""
    datasets = model.datasets or every_dataset
    pretraining = pd.concat([usable[dataset] for dataset in datasets])
    if model.checkpoint or model.training.epochs == 0:
        # Random weights have seen no scan, and what a given checkpoint has seen is not known.
        pretraining = pretraining.iloc[:0]
    result = []
    for dataset in scored:
        table = usable[dataset]
        n_participants = table["participant_id"].nunique()
        # Ids may differ between data sets that share scans, so contents are compared, too.
        same_scan = table[table["recording"].isin(set(pretraining["recording"]))]
        result.append(
            Overlap(
                model=name,
                dataset=dataset,
                known=not model.checkpoint,
                participants=n_participants,
                # Ids are compared within a data set only: `sub-01` of another is someone else.
                same_id=n_participants if dataset in datasets and len(pretraining) else 0,
                same_scan=same_scan["participant_id"].nunique(),
            )
        )
    return result
