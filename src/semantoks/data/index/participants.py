"""The participants table of a data set."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import pandas as pd

from semantoks.config import RepetitionTime
from semantoks.data.hdf5 import decode, is_hdf5, read_ids
from semantoks.errors import UserError

log = logging.getLogger(__name__)
ID = "participant_id"
LISTED_COLUMNS = 12  # in messages; phenotype tables have hundreds
UNDECLARED_MISSING = frozenset({"NA", "NaN", "nan", "null", "NULL"})


def read_participants(path: Path, column: str = ID, missing: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read the participants table, sorted by participant.

    Parameters
    ----------
    path : Path
        ``.tsv`` as in BIDS, ``.csv``, or HDF5 of the reference implementation.
    column : str
        Column with the participants' ids; it is renamed to ``participant_id``.
    missing : tuple of str
        Codes for a missing value in addition to ``n/a`` and the empty string. Rows without an id
        are dropped.

    Returns
    -------
    DataFrame

    Raises
    ------
    UserError
        When the file is missing, unreadable or empty, or lists a participant twice.
    """
    if not path.exists():
        raise UserError(
            f"There is no {path}. Set `path` (folder of the data set) and `participants` (its "
            "participants table) in the configuration."
        )
    table = _read_hdf5(path) if is_hdf5(path) else _read_text(path, column, missing)
    if column not in table or table.empty:
        raise UserError(
            f"{path} has no rows under a column {column} (columns: {_columns(table)}). Name the "
            "column with the participants' ids as `participant_column`; in BIDS, it is "
            "participant_id."
        )
    if column != ID:
        # Renaming would otherwise result in two columns called participant_id.
        table = table.drop(columns=ID, errors="ignore")
    table = table.rename(columns={column: ID}).dropna(subset=ID)
    table[ID] = table[ID].astype(str).str.strip()
    _warn_of_undeclared_missing_values(table, path)
    repeated = table.loc[table[ID].duplicated(), ID]
    if len(repeated):
        raise UserError(
            f"{path} lists {repeated.iloc[0]} more than once; keep one row per participant, or add "
            "it to `missing_values` if it is a code for an unknown participant."
        )
    return table.sort_values(ID, ignore_index=True)


def _read_text(path: Path, column: str, missing: tuple[str, ...]) -> pd.DataFrame:
    """Read a TSV or CSV table; ids stay text, so that 0050 does not become 50."""
    is_tsv = path.suffix != ".csv"
    try:
        table = pd.read_csv(
            path,
            sep="\t" if is_tsv else ",",
            dtype={column: str},
            # Only what BIDS defines as missing: pandas would also drop a class called "None".
            keep_default_na=False,
            na_values=["n/a", "", *missing],
            # BIDS tables have no quoting: a quotation mark is part of a value.
            quoting=csv.QUOTE_NONE if is_tsv else csv.QUOTE_MINIMAL,
            encoding="utf-8-sig",  # Excel writes a byte order mark
            index_col=False,  # else a trailing separator turns the first column into the index
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a readable table ({error}). Save it as UTF-8.") from None
    # `DataFrame.to_csv` writes its index as a column without a name.
    return table.loc[:, ~table.columns.str.match(r"Unnamed: \d+$")]


def _read_hdf5(path: Path) -> pd.DataFrame:
    """Read every list that has one entry per participant as a column."""
    import h5py  # type: ignore[import-untyped]

    with h5py.File(path) as file:
        ids = read_ids(file)
        columns = {
            name: decode(item[:]) if h5py.check_string_dtype(item.dtype) else item[:]
            for name, item in file.items()
            if isinstance(item, h5py.Dataset) and item.shape == (len(ids),)
        }
    return pd.DataFrame(columns).assign(participant_id=ids)


def _columns(table: pd.DataFrame) -> str:
    return ", ".join(map(str, table.columns[:LISTED_COLUMNS]))


def _warn_of_undeclared_missing_values(table: pd.DataFrame, path: Path) -> None:
    """Warn of values such as NA (from R), which are read as a class of their own."""
    for name in table.columns:
        suspects = UNDECLARED_MISSING & {value for value in table[name] if isinstance(value, str)}
        if suspects:
            log.warning(
                "%s has '%s' under %s; if that is a missing value, list it in `missing_values`",
                path.name,
                min(suspects),
                name,
            )


def match_participants(
    scans: pd.DataFrame, participants: pd.DataFrame, source: Path
) -> pd.DataFrame:
    """Write the participants' ids as the scans have them: with or without ``sub-``.

    Parameters
    ----------
    scans, participants : DataFrame
        Both with ``participant_id``.
    source : Path
        File of the participants table, for messages.

    Raises
    ------
    UserError
        When no participant has a scan, or one is listed with and without ``sub-``.
    """
    scanned = set(scans[ID])
    # BIDS requires `sub-` in the table, but many tables omit it.
    by_label = {name.removeprefix("sub-"): name for name in scanned}
    ids = [by_label.get(name.removeprefix("sub-"), name) for name in participants[ID]]
    repeated = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(repeated):
        raise UserError(
            f"{source} lists {repeated.iloc[0]} with and without sub-; keep one row each."
        )
    if not scanned & set(ids):
        raise UserError(
            f"No participant with a scan is in {source} (scans: {min(scanned)}, …; table: "
            f"{min(ids)}, …). Write participant_id as in the file names, sub-<label> in BIDS, or "
            "name another `participant_column`."
        )
    log.info("%d scans of %d participants", len(scans), len(scanned))
    if scanned - set(ids):
        log.warning(
            "%d participants with scans are not in %s", len(scanned - set(ids)), source.name
        )
    if set(ids) - scanned:
        log.warning("%d participants in %s have no scan", len(set(ids) - scanned), source.name)
    return participants.assign(participant_id=ids)


def repetition_times(participants: pd.DataFrame, given: RepetitionTime, source: Path) -> pd.Series:
    """Repetition time (s) of each participant's scans as configured, indexed by id.

    Parameters
    ----------
    participants : DataFrame
    given : float, str or dict
        Seconds, a column of the table with seconds, or ``{column: {value: seconds}}``.
    source : Path
        File of the participants table, for messages.

    Returns
    -------
    Series of float
        NaN where the table has no value, or one that is not listed.

    Raises
    ------
    UserError
        When the table lacks the column.
    """
    ids = participants[ID]
    if isinstance(given, int | float):
        return pd.Series(float(given), index=ids)
    column, seconds_of = (given, {}) if isinstance(given, str) else next(iter(given.items()))
    if column not in participants:
        raise UserError(
            f"`repetition_time` names the column '{column}', which is not in {source} (columns: "
            f"{_columns(participants)})."
        )
    values = participants[column]
    if seconds_of:
        by_text = {_as_text(value): seconds for value, seconds in seconds_of.items()}
        values = values.map(lambda value: by_text.get(_as_text(value)))
    return pd.Series(pd.to_numeric(values, errors="coerce").to_numpy(), index=ids)


def _as_text(value: object) -> str:
    """Write a code as a user would: pandas reads 1 as 1.0 where the column has a gap."""
    return f"{value:g}" if isinstance(value, int | float) else str(value).strip()
