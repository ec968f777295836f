"""Index a data set: a table of its scans, of its participants, and one table per shard."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from semantoks.artifacts.files import atomic
from semantoks.artifacts.tables import write_table
from semantoks.config import IndexedDataset
from semantoks.data.index.derivatives.scans import find_derivative_scans
from semantoks.data.index.excluded import excluded_scans
from semantoks.data.index.people.held_out import held_out_people
from semantoks.data.index.people.participants import match_participants, read_participants
from semantoks.data.index.people.partners import exclude_unlisted, without_scan
from semantoks.data.index.raw.headers import warn_of_other_tr
from semantoks.data.index.raw.other_layouts import find_by_templates
from semantoks.data.index.raw.runs import find_raw_scans
from semantoks.data.index.repetition_times.configured import with_configured_tr
from semantoks.data.index.settings import IndexSettings
from semantoks.data.index.shards import shard_of
from semantoks.errors import UserError
from semantoks.gate import Gate
from semantoks.people.tables import names_of

log = logging.getLogger(__name__)
MAX_SCANS_PER_SHARD = 500  # 300 regions × 490 volumes × float32 × 500 scans are 0.3 GB
SCANS_PER_SHARD = 100  # what the warning recommends


def index(
    settings: IndexSettings,
    *,
    data: Path,
    participants: Sequence[Path],
    out: Path,
    hold_out: Path | None = None,
    exclude: Path | None = None,
) -> list[Path]:
    """Write ``scans.parquet``, ``participants.parquet`` and a ``shard-NNNN.tsv`` per shard.

    Participants without a scan are listed in ``left_out.tsv``; the scans of those who are not in
    the table have that as their problem. ``held_out.tsv`` lists who is kept out of pretraining.

    Scans that are excluded by hand are in ``excluded-NNNN.tsv`` beside the table of their shard, so
    that excluding them does not preprocess the shard again.

    The tables of a shard are not touched if their content stays the same, so that new data re-run
    only the shards that they belong to.

    Parameters
    ----------
    settings : IndexSettings
    data : Path
        Folder of the data set, or its HDF5 file.
    participants : sequence of Path
        Tables of participants, which are joined by id.
    out : Path
        ``scans.parquet``; the other tables are written beside it.
    hold_out : Path, optional
        File of the people who are held out, if the settings name one.
    exclude : Path, optional
        Table of scans that are excluded by hand.

    Returns
    -------
    list of Path
        All tables.

    Raises
    ------
    UserError
        When there are no scans, no participants, no participant with a scan, no scan with a TR, or
        nobody to hold out, or a scan that is excluded by hand does not exist.
    """
    dataset, folder = settings.dataset, out.parent
    _require_inside(participants, Gate(data, [Path(target) for target in dataset.link_targets]))
    table, source = read_participants(participants, dataset.layout()), names_of(participants)
    is_raw = dataset.source == "bids"
    if is_raw and dataset.template is not None:
        scans = find_by_templates(data, dataset)
    elif is_raw:
        scans = find_raw_scans(data, dataset, by_fmriprep=settings.by_fmriprep)
    else:
        scans = find_derivative_scans(data, dataset)
    table = match_participants(scans, table, source)
    scans = exclude_unlisted(scans, table)
    scans = with_configured_tr(scans, table, settings, data, source)
    if is_raw:
        warn_of_other_tr(scans, data)
    scans["shard"] = [shard_of(name, dataset.shards) for name in scans["participant_id"]]
    _warn_of_large_shards(len(scans), dataset)
    held_out = _held_out(settings, table, scans, hold_out)
    tables = [folder / f"shard-{shard:04d}.tsv" for shard in range(dataset.shards)]
    _write_shards(scans, tables)
    excluded = _write_excluded(scans, exclude, tables)
    people = {"left_out.tsv": without_scan(scans, table), "held_out.tsv": held_out}
    for name, rows in people.items():
        with atomic(folder / name, of_people=True) as temporary:
            rows.to_csv(temporary, sep="\t", index=False)
    write_table(folder / "participants.parquet", _storable(table))
    write_table(out, scans)
    others = [folder / name for name in ("participants.parquet", *people)]
    return [out, *others, *tables, *excluded]


def _require_inside(tables: Sequence[Path], gate: Gate) -> None:
    """Refuse tables of the data set that lead out of it."""
    for path in tables:
        is_own = gate.has(path) and path.exists()
        if is_own and (problem := gate.departure_of(path)):
            raise UserError(f"{path}: {problem}.")


def _held_out(
    settings: IndexSettings, participants: pd.DataFrame, scans: pd.DataFrame, file: Path | None
) -> pd.DataFrame:
    """List the people who are held out; nobody, if the settings do not say so."""
    given = settings.dataset.hold_out
    if given is None:
        return pd.DataFrame({"participant_id": []})
    source = given if isinstance(given, int) else file or Path(given)
    layout = settings.dataset.layout()
    people = held_out_people(source, participants, scans, settings.group_column, layout)
    log.info("%d participant(s) are held out of pretraining", len(people))
    return pd.DataFrame({"participant_id": people})


def _warn_of_large_shards(count: int, dataset: IndexedDataset) -> None:
    if count > MAX_SCANS_PER_SHARD * dataset.shards:
        log.warning(
            "%d scans in %d shard(s): a job holds the time series of a whole shard in memory, and "
            "about %d scans per shard work well. Set `shards` of this data set to %d.",
            count,
            dataset.shards,
            SCANS_PER_SHARD,
            round(count / SCANS_PER_SHARD),
        )


def _write_shards(scans: pd.DataFrame, tables: Sequence[Path]) -> None:
    """Write the scans of each shard; remove tables of an earlier run that had more shards."""
    for shard, path in enumerate(tables):
        rows = scans[scans["shard"] == shard].drop(columns="shard")
        _write_if_changed(path, rows.to_csv(sep="\t", index=False))
    for surplus in set(tables[0].parent.glob("shard-*.tsv")) - set(tables):
        surplus.unlink()


def _write_excluded(
    scans: pd.DataFrame, exclude: Path | None, tables: Sequence[Path]
) -> list[Path]:
    """Write a table for each shard with scans that are excluded by hand; remove the others."""
    folder, written = tables[0].parent, list[Path]()
    excluded = excluded_scans(exclude, scans) if exclude else pd.DataFrame()
    if len(excluded):
        log.info("excluded by hand: %d of %d scans", len(excluded), len(scans))
        for shard, rows in excluded.groupby(scans["shard"]):
            path = folder / f"excluded-{shard:04d}.tsv"
            _write_if_changed(path, rows.to_csv(sep="\t", index=False))
            written.append(path)
    for surplus in set(folder.glob("excluded-*.tsv")) - set(written):
        surplus.unlink()
    return written


def _write_if_changed(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    with atomic(path, of_people=True) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _storable(table: pd.DataFrame) -> pd.DataFrame:
    """Convert columns of mixed types to text, since a Parquet column has one type."""
    mixed = [
        name
        for name in table
        if table[name].dtype == object and table[name].dropna().map(type).nunique() > 1
    ]
    return table.assign(**{str(name): table[name].astype("string") for name in mixed})
