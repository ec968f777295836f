"""Participants who are both in the pretraining data of a model and in a benchmark."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from semantoks.artifacts.held_out import LeftOut, left_out_for
from semantoks.artifacts.recordings import Match, recording_names, same_recordings
from semantoks.artifacts.timeseries import HELD_OUT, SOURCE, included_scans, whole_runs
from semantoks.config import Config, Dataset, Model
from semantoks.scores.participants import held_out_people

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldOut:
    """People of a data set who are held out of pretraining.

    Attributes
    ----------
    people : int
        Those with a usable scan.
    is_drawn : bool
        Whether they were drawn, or are in a file.
    scans, under_other_ids : int
        Scans that a model must not see because of them, and how many of these are under other ids.
    """

    people: int
    is_drawn: bool
    scans: int
    under_other_ids: int


@dataclass(frozen=True)
class Overlap:
    """Overlap of a model's pretraining data with a data set that has phenotypes.

    Attributes
    ----------
    model, dataset : str
    known : bool
        False for a given checkpoint, whose pretraining data are not known.
    participants : int
        Participants of the data set who may be scored: with a usable scan and, if people are held
        out, among these.
    same_id : int
        Of those, participants with a scan that was used for pretraining.
    same_scan : int
        Of those, participants with a scan that is the same recording as one used for pretraining,
        under whatever name.
    held_out : HeldOut or None
        None if nobody of the data set is held out.
    """

    model: str
    dataset: str
    known: bool
    participants: int
    same_id: int
    same_scan: int
    held_out: HeldOut | None = None


def overlaps(scans: Mapping[str, pd.DataFrame], config: Config) -> list[Overlap]:
    """Count the overlap of each model with each data set that has phenotypes.

    The recordings are compared anew, and not taken from the model: this is the check that
    pretraining left out what it should.

    Parameters
    ----------
    scans : mapping of str to DataFrame
        Table of scans by data set.
    config : Config
    """
    # Of blocks, whole runs are compared, and people counted.
    usable = _with_recordings({name: whole_runs(table) for name, table in scans.items()})
    result = list[Overlap]()
    for name, model in config.models.items():
        datasets = model.datasets or list(config.datasets)
        left_out = {
            holder: left_out_for(holder, scans, datasets)
            for holder, dataset in config.datasets.items()
            if dataset.hold_out is not None
        }
        pretraining = _pretraining(model, datasets, usable, left_out)
        for key, dataset in config.datasets.items():
            if dataset.phenotypes:
                table = _scored(usable[key], scans[key])
                if held_out_people(scans[key]) is not None:
                    table = table[table[HELD_OUT].astype(bool)]
                counts = _held_out(dataset, left_out.get(key))
                result.append(_overlap(name, model, key, table, pretraining, counts))
    return result


def _scored(runs: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """Select the runs of which a block can be used; of scans, those are all."""
    if SOURCE not in scans:
        return runs
    return runs[runs[SOURCE].isin(set(included_scans(scans)[SOURCE]))]


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


def _pretraining(
    model: Model,
    datasets: Sequence[str],
    usable: Mapping[str, pd.DataFrame],
    left_out: Mapping[str, LeftOut],
) -> pd.DataFrame:
    """Return the scans that a model was pretrained on, as far as it is known."""
    table = pd.concat([usable[dataset] for dataset in datasets])
    has_means = any(model.needs_connectome(readout) for readout in model.readouts)
    if model.checkpoint or (model.training.epochs == 0 and not has_means):
        # Random weights have seen no scan, and what a given checkpoint has seen is not known.
        return table.iloc[:0]
    names = {f"{dataset}: {scan}" for part in left_out.values() for dataset, scan in part.scans}
    return table[~table["scan"].isin(names)]


def _held_out(dataset: Dataset, left_out: LeftOut | None) -> HeldOut | None:
    if left_out is None:
        return None
    is_drawn = isinstance(dataset.hold_out, int)
    return HeldOut(left_out.people, is_drawn, len(left_out.scans), left_out.under_other_ids)


def _overlap(
    name: str,
    model: Model,
    dataset: str,
    scored: pd.DataFrame,
    pretraining: pd.DataFrame,
    held_out: HeldOut | None,
) -> Overlap:
    """Count who of those who may be scored was seen by a model."""
    # Ids are compared within a data set only: `sub-01` of another is someone else.
    seen = set(pretraining.loc[pretraining["dataset"] == dataset, "participant_id"])
    # Ids may differ between data sets that share scans, so contents are compared, too.
    same_scan = scored[scored["recording"].isin(set(pretraining["recording"]))]
    return Overlap(
        model=name,
        dataset=dataset,
        known=not model.checkpoint,
        participants=scored["participant_id"].nunique(),
        same_id=scored.loc[scored["participant_id"].isin(seen), "participant_id"].nunique(),
        same_scan=same_scan["participant_id"].nunique(),
        held_out=held_out,
    )
