"""Read the events of a run: a table of BIDS, or timing files of FSL."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from semantoks.errors import ScanError, UserError, shown
from semantoks.gate import require_file
from semantoks.people.read import as_number, read_text_table

# What a row of the table of blocks is called by.
RESERVED = ("participant_id", "person")


def read_bids_events(path: Path) -> pd.DataFrame:
    """Read a ``*_events.tsv``, sorted by onset.

    Parameters
    ----------
    path : Path

    Returns
    -------
    DataFrame of object
        Every column as text, None where a cell is missing; ``onset`` and ``duration`` (s) as float,
        ``duration`` NaN where it is not known.

    Raises
    ------
    ScanError
        When it cannot be read, or its onsets or durations are no seconds.
    """
    try:
        table = pd.DataFrame(read_text_table(_file(path)).columns, dtype=object)
    except UserError as error:
        raise ScanError(f"events: {error}") from None
    for column in ("onset", "duration"):
        if column not in table:
            raise ScanError(f"events: {path.name} has no column {column}, which BIDS requires")
        table[column] = _seconds(table[column], column, path.name)
    if table["onset"].isna().any():
        row = int(table["onset"].isna().to_numpy().argmax()) + 2
        raise ScanError(f"events: row {row} of {path.name} has no onset")
    table = table.rename(columns={name: f"event_{name}" for name in RESERVED})
    return _sorted(table)


def read_fsl_events(paths: dict[str, Path]) -> pd.DataFrame:
    """Read timing files of FSL, one per trial type, sorted by onset.

    Three columns without a header: onset and duration (s), and weight. A weight of 0 is no event;
    FSL writes ``0 0 0`` for a trial type that does not occur. Source: the user guide of FEAT,
    https://fsl.fmrib.ox.ac.uk/fsl/docs/#/task_fmri/feat/user_guide.

    Parameters
    ----------
    paths : dict of str to Path
        File of each trial type.

    Returns
    -------
    DataFrame
        ``onset``, ``duration`` and ``weight`` (float), and ``trial_type``.

    Raises
    ------
    ScanError
        When a file cannot be read, or has other columns.
    """
    rows = [
        (trial_type, *numbers) for trial_type, path in paths.items() for numbers in _timings(path)
    ]
    table = pd.DataFrame(rows, columns=["trial_type", "onset", "duration", "weight"])
    table = table[["onset", "duration", "trial_type", "weight"]]
    return _sorted(table[table["weight"] != 0])


def _timings(path: Path) -> list[tuple[float, float, float]]:
    """Read onset, duration and weight of each line."""
    try:
        lines = _file(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScanError(f"events: {path.name} cannot be read ({error})") from None
    timings = list[tuple[float, float, float]]()
    for number, line in enumerate(lines, 1):
        cells = line.split()
        if not cells or cells[0].startswith("#"):
            continue
        values = [value for cell in cells if (value := as_number(cell)) is not None]
        if len(values) != 3 or len(cells) != 3 or not all(map(math.isfinite, values)):
            raise ScanError(
                f"events: line {number} of {path.name} is '{shown(line)}'; three numbers are "
                "needed: onset, duration and weight"
            )
        if values[1] < 0:
            raise ScanError(f"events: line {number} of {path.name} has a negative duration")
        timings.append((values[0], values[1], values[2]))
    return timings


def _file(path: Path) -> Path:
    try:
        return require_file(path)
    except ScanError as error:
        raise ScanError(f"events: {error}") from None


def _seconds(cells: pd.Series, column: str, file: str) -> pd.Series:
    """Convert a column to float; NaN where a cell is missing."""
    numbers = [math.nan if cell is None else as_number(cell) for cell in cells]
    for row, (cell, number) in enumerate(zip(cells, numbers, strict=True), 2):
        is_odd = number is None or math.isinf(number) or (number < 0 and column == "duration")
        if is_odd or (cell is not None and number != number):
            raise ScanError(
                f"events: row {row} of {file} has the {column} '{shown(cell)}'; seconds are needed"
            )
    return pd.Series(numbers, cells.index, dtype=float)


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("onset", kind="stable", ignore_index=True)
