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

from semantoks.data.hdf5 import is_hdf5, read_ids, read_lists
from semantoks.errors import ScanError, UserError
from semantoks.gate import require_file
from semantoks.people.checks import missing_code
from semantoks.people.columns import find_column, listed
from semantoks.people.ids import as_in_scans, hint_on_longer_ids
from semantoks.people.layout import ID, Layout
from semantoks.people.read import as_number, clean_column
from semantoks.people.spellings import spelling_twins
from semantoks.people.tables import names_of, read_people

log = logging.getLogger(__name__)
DEFAULT_LAYOUT = Layout()
LISTED_COLUMNS = 12  # in messages; phenotype tables have hundreds


def read_participants(paths: Sequence[Path], layout: Layout = DEFAULT_LAYOUT) -> pd.DataFrame:
    """Read the tables of participants, joined and sorted by id.

    Parameters
    ----------
    paths : sequence of Path
        Tables of text, or one HDF5 file of the reference implementation.
    layout : Layout
        The column of ids is renamed to ``participant_id``. Rows without an id are dropped.

    Returns
    -------
    DataFrame

    Raises
    ------
    UserError
        When a file is missing, unreadable or empty, or lists a participant twice.
    """
    for path in paths:
        if not path.exists():
            raise UserError(
                f"There is no {path}. Set `path` (folder of the data set) and `participants` (its "
                "participants table) in the configuration."
            )
    name = names_of(paths)
    if len(paths) > 1 and any(map(is_hdf5, paths)):
        raise UserError(f"{name}: an HDF5 file cannot be joined with other tables. Name it alone.")
    table = _read_hdf5(paths[0], layout) if is_hdf5(paths[0]) else _read_text(paths, layout)
    if table.empty:
        raise UserError(f"{name} has no participant with an id under `participant_column`.")
    table[ID] = table[ID].astype(str).str.strip()
    _warn_of_odd_values(table, name)
    return table.sort_values(ID, ignore_index=True)


def _read_text(paths: Sequence[Path], layout: Layout) -> pd.DataFrame:
    """Read tables of text; ids stay text, so that 0050 does not become 50."""
    people = read_people(paths, layout)
    for note in people.notes:
        log.warning("%s", note)
    for conflict in people.conflicts.values():
        log.warning(
            "%s and %s differ in the column '%s', for %s at first; where they differ, it is "
            "missing",
            *conflict.tables,
            conflict.column,
            conflict.participant,
        )
    columns = people.columns
    # So do true and false, which pandas would turn into classes that the table does not have.
    as_text = [name for name, cells in columns.items() if name == ID or _has_booleans(cells)]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    text.seek(0)
    # Only blank is missing now: pandas would also drop a class called "None".
    return pd.read_csv(
        text,
        dtype=dict.fromkeys(as_text, str),
        keep_default_na=False,
        na_values=[""],
        skip_blank_lines=False,
        low_memory=False,
    )


def _has_booleans(cells: Sequence[str | None]) -> bool:
    return {cell.lower() for cell in set(cells) if cell} <= {"true", "false"}


def _read_hdf5(path: Path, layout: Layout) -> pd.DataFrame:
    """Read every list that has one entry per participant as a column."""
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(require_file(path)) as file:
            ids = read_ids(file)
            columns = read_lists(file, len(ids))
    except (OSError, ScanError) as error:
        raise UserError(f"{path} is not a readable table of participants ({error}).") from None
    codes = [number for code in layout.missing if (number := as_number(code)) is not None]
    table = pd.DataFrame({ID: ids})
    for name, values in columns.items():
        if isinstance(values, list):
            table[name] = clean_column(values, layout.missing)
        else:
            table[name] = pd.Series(values).mask(np.isin(values, codes))
    return _with_ids(table, path, layout)


def _with_ids(table: pd.DataFrame, path: Path, layout: Layout) -> pd.DataFrame:
    """Take the ids of an HDF5 file from the column that is configured.

    Raises
    ------
    UserError
        When there is no such column, an id is listed twice, or there are keys for tables of text.
    """
    if layout.skip_rows or layout.visit_columns:
        raise UserError(
            f"{path} is HDF5, to which `skip_rows` and `visits` do not apply. Remove them."
        )
    column = find_column(layout.id_columns, table.columns)
    if column is None:
        raise UserError(
            f"{path} has no column {listed(layout.id_columns)} (columns: {listed_columns(table)}). "
            "Name the column with the participants' ids as `participant_column`."
        )
    ids = [None if pd.isna(cell) else layout.id_of(str(cell)) for cell in table[column]]
    table = table.drop(columns=[ID, column], errors="ignore")
    table.insert(0, ID, pd.Series(ids, table.index, dtype="object"))
    table = table.dropna(subset=ID)
    repeated = table.loc[table[ID].duplicated(), ID]
    if len(repeated):
        raise UserError(f"{path} lists {repeated.iloc[0]} more than once; keep each once.")
    return table


def listed_columns(table: pd.DataFrame) -> str:
    """Name the first columns of a table for a message."""
    return ", ".join(map(str, table.columns[:LISTED_COLUMNS]))


def _warn_of_odd_values(table: pd.DataFrame, source: str) -> None:
    """Warn of what `require_clean` refuses in the columns that are used."""
    for name in table.columns.drop(ID):
        values = texts(table[name])
        code = missing_code(Counter(values.dropna()), is_measure=False)
        if code is not None:
            log.warning(
                "%s has %s under %s; if that is a missing value, list it in `missing_values`",
                source,
                code,
                name,
            )
    twins = spelling_twins(table[ID])
    if twins:
        log.warning("%s has %s and %s, which are taken for two participants", source, *twins)


def match_participants(
    scans: pd.DataFrame, participants: pd.DataFrame, source: str
) -> pd.DataFrame:
    """Write the participants' ids as the scans have them: with or without ``sub-``.

    Parameters
    ----------
    scans, participants : DataFrame
        Both with ``participant_id``.
    source : str
        Names of the tables of participants, for messages.

    Raises
    ------
    UserError
        When no participant has a scan, one is listed with and without ``sub-``, or an id is
        written differently in the scans.
    """
    scanned = set(scans[ID])
    # BIDS requires `sub-` in the table, but many tables omit it.
    ids = as_in_scans(list(participants[ID]), scanned, source, is_table=True)
    repeated = pd.Series(ids)[pd.Series(ids).duplicated()]
    if len(repeated):
        raise UserError(
            f"{source} lists {repeated.iloc[0]} with and without sub-; keep one row each."
        )
    if not scanned & set(ids):
        raise UserError(
            f"No participant with a scan is in {source} (scans: {min(scanned)}, …; table: "
            f"{min(ids)}, …). Write participant_id as in the file names, sub-<label> in BIDS, or "
            f"name another `participant_column`.{hint_on_longer_ids(scanned, ids)}"
        )
    log.info("%d scans of %d participants", len(scans), len(scanned))
    return participants.assign(participant_id=ids)


def texts(values: pd.Series) -> pd.Series:
    """Write the cells of a column as a user would; None where a value is missing."""
    return values.astype(object).map(as_text).where(values.notna(), None)


def as_text(value: object) -> str:
    """Write a code as a user would: pandas reads 1 as 1.0 where the column has a gap."""
    if isinstance(value, int | float):
        # All digits: of long codes, `:g` would keep six.
        return str(int(value)) if float(value).is_integer() else str(float(value))
    return str(value).strip()
