"""The participants table of a data set."""

from __future__ import annotations

import csv
import io
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.config import RepetitionTime
from semantoks.data.hdf5 import is_hdf5, read_ids, read_lists
from semantoks.errors import ScanError, UserError
from semantoks.gate import require_file
from semantoks.people.checks import missing_code
from semantoks.people.ids import as_in_scans
from semantoks.people.read import as_number, clean_column, read_text_table
from semantoks.people.spellings import spelling_twins

log = logging.getLogger(__name__)
ID = "participant_id"
LISTED_COLUMNS = 12  # in messages; phenotype tables have hundreds


def read_participants(path: Path, column: str = ID, missing: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read the participants table, sorted by participant.

    Parameters
    ----------
    path : Path
        ``.tsv`` as in BIDS, ``.csv``, or HDF5 of the reference implementation.
    column : str
        Column with the participants' ids; it is renamed to ``participant_id``.
    missing : tuple of str
        Codes for a missing value in addition to those that `read_text_table` knows. Rows without
        an id are dropped.

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
    table = _read_hdf5(path, missing) if is_hdf5(path) else _read_text(path, column, missing)
    if column not in table or table.empty:
        raise UserError(
            f"{path} has no rows under a column {column} (columns: {_columns(table)}). Name the "
            "column with the participants' ids as `participant_column`; in BIDS, it is "
            "participant_id."
        )
    if column != ID:
        # Renaming would otherwise result in two columns called participant_id.
        table = table.drop(columns=ID, errors="ignore")
    table = table.rename(columns={column: ID})
    if table[ID].isna().any():
        log.warning("%d rows of %s have no id and are left out", table[ID].isna().sum(), path.name)
    table = table.dropna(subset=ID)
    table[ID] = table[ID].astype(str).str.strip()
    _warn_of_odd_values(table, path)
    repeated = table.loc[table[ID].duplicated(), ID]
    if len(repeated):
        raise UserError(
            f"{path} lists {repeated.iloc[0]} more than once; keep one row per participant, or add "
            "it to `missing_values` if it is a code for an unknown participant."
        )
    return table.sort_values(ID, ignore_index=True)


def _read_text(path: Path, column: str, missing: tuple[str, ...]) -> pd.DataFrame:
    """Read a TSV or CSV table; ids stay text, so that 0050 does not become 50."""
    columns = read_text_table(path, missing, column).columns
    # So do true and false, which pandas would turn into classes that the table does not have.
    as_text = [name for name, cells in columns.items() if name == column or _has_booleans(cells)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    text.seek(0)
    try:
        # Only blank is missing now: pandas would also drop a class called "None".
        return pd.read_csv(
            text,
            dtype=dict.fromkeys(as_text, str),
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def _has_booleans(cells: Sequence[str | None]) -> bool:
    return {cell.lower() for cell in set(cells) if cell} <= {"true", "false"}


def _read_hdf5(path: Path, missing: tuple[str, ...]) -> pd.DataFrame:
    """Read every list that has one entry per participant as a column."""
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(require_file(path)) as file:
            ids = read_ids(file)
            columns = read_lists(file, len(ids))
    except (OSError, ScanError) as error:
        raise UserError(f"{path} is not a readable table of participants ({error}).") from None
    codes = [number for code in missing if (number := as_number(code)) is not None]
    table = pd.DataFrame({ID: ids})
    for name, values in columns.items():
        if isinstance(values, list):
            table[name] = clean_column(values, missing)
        else:
            table[name] = pd.Series(values).mask(np.isin(values, codes))
    return table


def _columns(table: pd.DataFrame) -> str:
    return ", ".join(map(str, table.columns[:LISTED_COLUMNS]))


def _warn_of_odd_values(table: pd.DataFrame, path: Path) -> None:
    """Warn of what `require_clean` refuses in the columns that are used."""
    for name in table.columns.drop(ID):
        values = texts(table[name])
        code = missing_code(Counter(values.dropna()), is_measure=False)
        if code is not None:
            log.warning(
                "%s has %s under %s; if that is a missing value, list it in `missing_values`",
                path.name,
                code,
                name,
            )
    twins = spelling_twins(table[ID])
    if twins:
        log.warning("%s has %s and %s, which are taken for two participants", path.name, *twins)


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
        When no participant has a scan, one is listed with and without ``sub-``, or an id is
        written differently in the scans.
    """
    scanned = set(scans[ID])
    # BIDS requires `sub-` in the table, but many tables omit it.
    ids = as_in_scans(list(participants[ID]), scanned, str(source))
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
    return participants.assign(participant_id=ids)


def without_partner(scans: pd.DataFrame, participants: pd.DataFrame, source: Path) -> pd.DataFrame:
    """List participants who are only in the scans or only in the table.

    Parameters
    ----------
    scans, participants : DataFrame
        Both with ``participant_id``, written alike.
    source : Path
        File of the participants table.

    Returns
    -------
    DataFrame
        ``participant_id`` and ``reason``, sorted.
    """
    scanned, listed = set(scans[ID]), set(participants[ID])
    reasons = {
        **dict.fromkeys(sorted(scanned - listed), f"no row in {source.name}"),
        **dict.fromkeys(sorted(listed - scanned), "no scan"),
    }
    for reason, count in Counter(reasons.values()).items():
        log.warning("%d participant(s) left out: %s", count, reason)
    return pd.DataFrame({ID: list(reasons), "reason": list(reasons.values())})


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
    seconds = pd.to_numeric(values, errors="coerce")
    odd = values[values.notna() & ~(seconds > 0)]
    if len(odd):
        raise UserError(
            f"`repetition_time` names the column '{column}' of {source}, which holds "
            f"'{odd.iloc[0]}'. Write seconds, or list what is missing in `missing_values`."
        )
    return pd.Series(seconds.to_numpy(float), index=ids)


def texts(values: pd.Series) -> pd.Series:
    """Write the cells of a column as a user would; None where a value is missing."""
    return values.astype(object).map(_as_text).where(values.notna(), None)


def _as_text(value: object) -> str:
    """Write a code as a user would: pandas reads 1 as 1.0 where the column has a gap."""
    return f"{value:g}" if isinstance(value, int | float) else str(value).strip()
