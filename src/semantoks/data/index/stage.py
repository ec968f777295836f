"""The tables of a data set: its scans, its people, and one table per shard."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import atomic
from semantoks.artifacts.tables import write_table
from semantoks.data.index.people import match_people, read_participants, repetition_times
from semantoks.data.index.raw import find_scans
from semantoks.data.index.settings import IndexSettings
from semantoks.data.index.trees import find_entered

log = logging.getLogger(__name__)
MANY = 500  # scans in a shard: 300 regions × 490 volumes are 0.3 GB


def shard_of(participant_id: str, shards: int) -> int:
    """Shard of a person: decided by the id alone, so that nobody moves when others come."""
    return int(hashlib.sha1(participant_id.encode()).hexdigest(), 16) % shards


def index(settings: IndexSettings, *, data: Path, participants: Path, out: Path) -> list[Path]:
    """Write ``scans.parquet``, ``participants.parquet`` and a ``shard-NNNN.tsv`` per shard.

    A shard file whose content stays the same is not touched, so nothing that hangs on it is
    worked on again.

    Parameters
    ----------
    settings : IndexSettings
    data : Path
        The data set (a file where it is HDF5).
    participants : Path
        Its table of people.
    out : Path
        ``scans.parquet``; the other tables go beside it.

    Returns
    -------
    list of Path
        All tables.

    Raises
    ------
    UserError
        When there are no scans, no people, or nobody is both.
    """
    dataset, folder = settings.dataset, out.parent
    people = read_participants(
        participants, dataset.participant_column, tuple(dataset.missing_values)
    )
    raw = dataset.source == "bids"
    scans = find_scans(data, dataset.task) if raw else find_entered(data, dataset)
    people = match_people(scans, people, participants)
    if dataset.repetition_time is not None:
        given = repetition_times(people, dataset.repetition_time, participants)
        own = scans["participant_id"].map(given)
        scans["repetition_time"] = scans["repetition_time"].fillna(own)
    scans["shard"] = [shard_of(person, dataset.shards) for person in scans["participant_id"]]
    if len(scans) > MANY * dataset.shards:
        log.warning(
            "%d scans in %d shard(s): a job holds a shard in memory, about 100 each are good. Set "
            "`shards` of this data set to %d.",
            len(scans),
            dataset.shards,
            round(len(scans) / 100),
        )
    tables = [folder / f"shard-{shard:04d}.tsv" for shard in range(dataset.shards)]
    for shard, path in enumerate(tables):
        part = scans[scans["shard"] == shard].drop(columns="shard")
        _write_if_changed(path, part.to_csv(sep="\t", index=False))
    for surplus in set(folder.glob("shard-*.tsv")) - set(tables):  # there were more shards once
        surplus.unlink()
    write_table(folder / "participants.parquet", _storable(people))
    write_table(out, scans)
    return [out, folder / "participants.parquet", *tables]


def _storable(people: pd.DataFrame) -> pd.DataFrame:
    """Make columns of mixed kinds text, as Parquet has one kind per column."""
    mixed = [
        name
        for name in people
        if people[name].dtype == object and people[name].dropna().map(type).nunique() > 1
    ]
    return people.assign(**{str(name): people[name].astype("string") for name in mixed})


def _write_if_changed(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
