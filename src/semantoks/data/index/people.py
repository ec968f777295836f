"""The table of the people of a data set."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import pandas as pd

from semantoks.config import RepetitionTime
from semantoks.data.hdf5 import HDF5_SUFFIXES, decode_ids
from semantoks.errors import UserError

log = logging.getLogger(__name__)


def read_participants(
    path: Path, column: str = "participant_id", missing: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Read the table of people, sorted by participant.

    Parameters
    ----------
    path : Path
        ``.tsv`` as BIDS has it, ``.csv``, or the reference's HDF5, whose lists are columns.
    column : str
        The column of ids; it becomes ``participant_id``.
    missing : tuple of str
        What stands for a missing value, beside ``n/a`` and nothing. Rows without id are left out.

    Raises
    ------
    UserError
        When the file is missing or empty, or a person stands in it twice.
    """
    if not path.exists():
        raise UserError(
            f"There is no {path}. Name the data set's folder as its `path`, and its table of "
            "people as its `participants`, in the configuration."
        )
    table = _from_hdf5(path) if path.suffix in HDF5_SUFFIXES else _read(path, column, missing)
    if column not in table or table.empty:
        raise UserError(
            f"{path} has no rows under a column {column} (columns: "
            f"{', '.join(map(str, table.columns[:12]))}). `participant_column` names the column of "
            "ids, which BIDS calls participant_id."
        )
    if column != "participant_id":
        table = table.drop(columns="participant_id", errors="ignore")
    table = table.rename(columns={column: "participant_id"}).dropna(subset="participant_id")
    table["participant_id"] = table["participant_id"].astype(str).str.strip()
    _warn_of_missing(table, path)
    repeated = table.loc[table["participant_id"].duplicated(), "participant_id"]
    if len(repeated):
        raise UserError(
            f"{path} lists {repeated.iloc[0]} more than once; keep one row per person, or put it "
            "under `missing_values` if it stands for an unknown one."
        )
    return table.sort_values("participant_id", ignore_index=True)


def _read(path: Path, column: str, missing: tuple[str, ...]) -> pd.DataFrame:
    tsv = path.suffix != ".csv"
    try:
        # BIDS knows one way to say that a value is missing; "None" may well be a class.
        table = pd.read_csv(
            path,
            sep="\t" if tsv else ",",
            dtype={column: str},
            keep_default_na=False,
            na_values=["n/a", "", *missing],
            quoting=csv.QUOTE_NONE if tsv else csv.QUOTE_MINIMAL,
            encoding="utf-8-sig",
            index_col=False,  # a line may end in a separator
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a readable table ({error}). Save it as UTF-8.") from None
    return table.loc[:, ~table.columns.str.match(r"Unnamed: \d+$")]


def _from_hdf5(path: Path) -> pd.DataFrame:
    import h5py  # type: ignore[import-untyped]

    with h5py.File(path) as file:
        ids = decode_ids(file["long_subject_id"][:])
        lists = {
            name: decode_ids(item[:]) if h5py.check_string_dtype(item.dtype) else item[:]
            for name, item in file.items()
            if isinstance(item, h5py.Dataset) and item.shape == (len(ids),)
        }
    return pd.DataFrame(lists).assign(participant_id=ids)


def match_people(scans: pd.DataFrame, participants: pd.DataFrame, where: Path) -> pd.DataFrame:
    """Give the table the ids that the scans have, which may differ by ``sub-``.

    Raises
    ------
    UserError
        When nobody with a scan is in the table.
    """
    scanned = set(scans["participant_id"])
    own = {person.removeprefix("sub-"): person for person in scanned}
    ids = [
        own.get(person.removeprefix("sub-"), person) for person in participants["participant_id"]
    ]
    twice = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(twice):
        raise UserError(f"{where} lists {twice.iloc[0]} with and without sub-; keep one row each.")
    if not scanned & set(ids):
        raise UserError(
            f"Nobody with a scan is in {where} (scans: {min(scanned)}, …; table: {min(ids)}, …). "
            "Write participant_id as the files do, sub-<label> in BIDS, or name another "
            "`participant_column`."
        )
    log.info("%d scans of %d people", len(scans), len(scanned))
    if scanned - set(ids):
        log.warning("%d people with scans are not in %s", len(scanned - set(ids)), where.name)
    if set(ids) - scanned:
        log.warning("%d people in %s have no scan", len(set(ids) - scanned), where.name)
    return participants.assign(participant_id=ids)


def repetition_times(participants: pd.DataFrame, given: RepetitionTime, where: Path) -> pd.Series:
    """Return the TR (s) of each person's scans, by id, as the configuration gives it.

    Raises
    ------
    UserError
        When the table lacks a column that is named.
    """
    ids = participants["participant_id"]
    if isinstance(given, int | float):
        return pd.Series(float(given), index=ids)
    column, values = (given, {}) if isinstance(given, str) else next(iter(given.items()))
    if column not in participants:
        raise UserError(
            f"`repetition_time` names the column '{column}', which is not in {where} (columns: "
            f"{', '.join(map(str, participants.columns[:12]))})."
        )
    found = participants[column]
    if values:
        known = {_text(value): seconds for value, seconds in values.items()}
        found = found.map(lambda value: known.get(_text(value)))
    return pd.Series(pd.to_numeric(found, errors="coerce").to_numpy(), index=ids)


def _text(value: object) -> str:
    """Write a site's code as a user would: 1, not 1.0."""
    return f"{value:g}" if isinstance(value, int | float) else str(value).strip()


def _warn_of_missing(table: pd.DataFrame, path: Path) -> None:
    for name in table.columns:
        odd = {"NA", "NaN", "nan", "null", "NULL"} & {
            value for value in table[name] if isinstance(value, str)
        }
        if odd:
            log.warning(
                "%s has '%s' under %s; if that is a missing value, list it in `missing_values`",
                path.name,
                min(odd),
                name,
            )
