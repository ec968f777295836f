"""Time series as text tables, with or without a header."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.data.atlas.atlas import Atlas
from semantoks.errors import ScanError

SEPARATORS = {".tsv": "\t", ".csv": ",", ".1D": r"\s+", ".txt": r"\s+"}
MISSING = ["", "n/a", "NaN", "NA", "nan"]


def read_text(path: Path, atlas: Atlas) -> tuple[np.ndarray, list[str] | None]:
    """Read a table with one row per volume.

    Parameters
    ----------
    path : Path
    atlas : Atlas
        Its labels decide whether a first row of numbers is a header.

    Returns
    -------
    values_TC : ndarray of float64, shape (volumes, columns)
    names : list of str or None
        Names of the columns; None if there is no header.

    Raises
    ------
    ScanError
        When it is not a table of numbers.
    """
    separator = SEPARATORS.get(path.suffix, r"\s+")
    try:
        # As text, because the cells of the first row decide below whether it is a header.
        table = pd.read_csv(path, sep=separator, header=None, dtype=str, keep_default_na=False)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise ScanError(f"{path.name} is not a readable table ({error})") from error
    table = table.apply(lambda column: column.str.strip())
    # A separator at the end of each line reads as an empty column.
    while len(table.columns) and (table[table.columns[-1]] == "").all():
        table = table.drop(columns=table.columns[-1])
    # Headers of .1D files begin with `#`.
    names = _header([cell.lstrip("#").strip() for cell in table.iloc[0]], atlas, path)
    body = table if names is None else table.iloc[1:]
    try:
        return body.replace(MISSING, "nan").to_numpy(float), names
    except ValueError as error:
        raise ScanError(f"{path.name} has a value that is not a number ({error})") from error


def _header(cells: list[str], atlas: Atlas, path: Path) -> list[str] | None:
    """Return the column names in the first row of a table; None if it is a volume.

    A row of integers is a header if they are the atlas's labels (as C-PAC writes them), or count
    from 0 (as pandas does).
    """
    labels = {str(int(label)) for label in atlas.regions["index"]}
    numbers = [cell for cell in cells if cell.isdigit()]
    from_zero = numbers == [str(n) for n in range(len(atlas.regions))]
    if _is_numeric(cells) and not from_zero and set(numbers) != labels:
        return None
    if from_zero and "0" not in labels:
        in_order = iter(atlas.regions["name"])
        return [str(next(in_order)) if cell.isdigit() else cell for cell in cells]
    # Mostly integers, but not all: labels beside an index column, such as "volume".
    if len(cells) / 2 < len(numbers) < len(cells):
        return _names_of_labels(cells, numbers, atlas, path)
    return cells


def _is_numeric(cells: list[str]) -> bool:
    """Whether each cell is a number or a missing value."""
    values = pd.to_numeric(pd.Series(cells).replace(MISSING, "nan"), errors="coerce")
    return bool((values.notna() | pd.Series(cells).isin(MISSING)).all())


def _names_of_labels(cells: list[str], numbers: list[str], atlas: Atlas, path: Path) -> list[str]:
    name_of = dict(
        zip(
            atlas.regions["index"].astype(int).astype(str),
            atlas.regions["name"].astype(str),
            strict=True,
        )
    )
    if set(numbers) - set(name_of):
        raise ScanError(
            f"{path.name} numbers its columns ({numbers[0]} to {numbers[-1]}), but not by the "
            f"labels of the atlas {atlas.name}"
        )
    return [name_of.get(cell, cell) for cell in cells]
