"""Match the columns of given time series with the regions of an atlas."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np

from semantoks.data.atlas.atlas import Atlas
from semantoks.errors import ScanError

MIN_KNOWN = 0.5  # fraction of a file's columns that the atlas must have; fewer is another atlas


def align(
    values_TC: np.ndarray, names: Sequence[str] | None, atlas: Atlas, source: str
) -> np.ndarray:
    """Put columns in the order of an atlas, by the names of regions or their labels.

    Parameters
    ----------
    values_TC : ndarray, shape (volumes, columns)
    names : sequence of str or None
        Names of the columns, or numbers; None if they are the atlas's regions in order.
    atlas : Atlas
    source : str
        File name, for messages.

    Returns
    -------
    ndarray, shape (volumes, regions of the atlas)
        NaN for regions that are not among the columns.

    Raises
    ------
    ScanError
        When the number of columns is wrong, too few are regions of the atlas, or two are the same.
    """
    count = len(atlas.regions) if names is None else len(names)
    if values_TC.shape[1] != count:
        raise ScanError(
            f"{source} has the shape {values_TC.shape}, a table with {count} regions is expected"
        )
    if names is None:
        _require_no_counter(values_TC, source)
        return values_TC
    region_of = _region_of_columns(names, atlas, source)
    # NaN rather than 0: the model masks regions without data, but would use zeros.
    aligned_TC = np.full((len(values_TC), len(atlas.regions)), np.nan)
    aligned_TC[:, list(region_of.values())] = values_TC[:, list(region_of)]
    return aligned_TC


def label_header(first: np.ndarray, atlas: Atlas) -> list[str] | None:
    """Return the column numbers if the first row of a table is a header; None if it is a volume.

    Whole numbers are a header if they ascend, or are labels of the atlas in another order, whether
    they are written as ``1`` or ``1.0``. A signal does neither.

    Parameters
    ----------
    first : ndarray of float, shape (columns,)
    atlas : Atlas
    """
    # pandas leaves the name of the column of row numbers empty.
    unnamed = [""] if len(first) > 1 and np.isnan(first[0]) else []
    first = first[len(unnamed) :]
    if not (np.isfinite(first) & (first >= 0) & (first == np.rint(first))).all():
        return None
    numbers, labels = set(first.astype(int).tolist()), set(atlas.regions["index"].astype(int))
    are_labels = len(numbers) == len(first) and (numbers <= labels or labels <= numbers)
    ascend = len(first) > 1 and bool((np.diff(first) > 0).all())
    return [*unnamed, *(str(int(value)) for value in first)] if ascend or are_labels else None


def count_columns(names: Sequence[str]) -> bool:
    """Whether names are numbers that only count the columns, from 0 or from 1."""
    numbers = [_whole(name) for name in names]
    return numbers in (list(range(len(names))), list(range(1, len(names) + 1)))


def require_orientation(values: np.ndarray, names: Sequence[str] | None, source: str) -> None:
    """Refuse a square table whose header does not say that its columns are regions.

    A table of another shape whose rows are the regions has the wrong number of columns. Numbers
    that only count the columns may count volumes as well.

    Parameters
    ----------
    values : ndarray, two-dimensional
    names : sequence of str or None
        Header of the table.
    source : str
        File name, for messages.

    Raises
    ------
    ScanError
    """
    # pandas leaves the name of the column of row numbers empty.
    columns = list(names or [])[1 if names and not names[0] else 0 :]
    width = len(columns) or values.shape[1]
    if len(values) == width and (not columns or count_columns(columns)):
        raise ScanError(
            f"{source} is square, so volumes and regions cannot be told apart; name the regions in "
            "its first row, or set `regions` of the data set if they are the columns"
        )


def _whole(name: str) -> int | None:
    """Return the number that a name is, ``1`` or ``1.0``; None if it is another name."""
    match = re.fullmatch(r"(\d+)(\.0*)?", name)
    return int(match[1]) if match else None


def _region_of_columns(names: Sequence[str], atlas: Atlas, source: str) -> dict[int, int]:
    """Position in the atlas of each column that it has."""
    keys, positions = _keys_and_positions(names, atlas, source)
    region_of = {column: positions[key] for column, key in enumerate(keys) if key in positions}
    if len(region_of) < MIN_KNOWN * len(names):
        unknown = next(key for key in keys if key not in positions)
        raise ScanError(
            f"{len(region_of)} of {len(names)} columns of {source} are regions of the atlas "
            f"{atlas.name}, '{unknown}' is not{_order_hint(names, atlas)}"
        )
    # pandas calls a second column of the name x `x.1`.
    bases = [re.sub(r"\.\d+$", "", key) for key in keys if key not in positions]
    renamed = {base for base in bases if base in positions and base in keys}
    if renamed or len(set(region_of.values())) < len(region_of):
        raise ScanError(f"{source} has two columns of one region")
    return region_of


def _keys_and_positions(
    names: Sequence[str], atlas: Atlas, source: str
) -> tuple[list[str], dict[str, int]]:
    """Return what to look up for each column, and the position in the atlas of each such key.

    Columns go by number if more than half of their names are numbers; the others are columns such
    as "volume".
    """
    numbers = [_whole(name) for name in names]
    given = [number for number in numbers if number is not None]
    by_name = {str(name): n for n, name in enumerate(atlas.regions["name"])}
    if len(given) <= len(names) / 2:
        return list(names), by_name
    keys = [name if n is None else str(n) for name, n in zip(names, numbers, strict=True)]
    if given == list(range(len(given))):
        if len(given) != len(atlas.regions):
            raise ScanError(
                f"{source} numbers its columns from 0 to {given[-1]}, so they are not labels, and "
                f"the atlas {atlas.name} has {len(atlas.regions)} regions; name the columns, or "
                "set `regions` of the data set"
            )
        return keys, {str(n): n for n in range(len(given))}
    by_label = {str(int(label)): n for n, label in enumerate(atlas.regions["index"])}
    if any(by_name.get(key, position) != position for key, position in by_label.items()):
        raise ScanError(
            f"{source} numbers its columns, and the numbers are labels of some regions of the "
            f"atlas {atlas.name} and names of others"
        )
    if not by_label.keys() & set(keys):
        raise ScanError(
            f"{source} numbers its columns ({given[0]} to {given[-1]}), but not by the labels of "
            f"the atlas {atlas.name}"
        )
    _require_labels(given, by_label, atlas, source)
    return keys, by_label


def _require_labels(
    given: Sequence[int], by_label: Collection[str], atlas: Atlas, source: str
) -> None:
    """Refuse numbers from 1 on of which the atlas lacks some, as it has gaps between its labels.

    Such numbers may count the columns of the regions or be labels. If there are more of them than
    regions, they do not count them.
    """
    counts = given == list(range(1, len(given) + 1)) and len(given) <= len(atlas.regions)
    absent = [number for number in given if str(number) not in by_label]
    if counts and absent:
        raise ScanError(
            f"{source} numbers its columns from 1 to {given[-1]}, and {absent[0]} is no label of "
            f"the atlas {atlas.name}, so the numbers may be labels or only count the columns; name "
            "the columns, or set `regions` of the data set"
        )


def _require_no_counter(values_TC: np.ndarray, source: str) -> None:
    """Refuse a first column that rises by the same step from row to row, as no signal does."""
    steps_T = np.diff(values_TC[:, 0])
    if len(steps_T) > 1 and steps_T[0] > 0 and np.allclose(steps_T, steps_T[0], rtol=1e-6):
        raise ScanError(
            f"the first column of {source} counts volumes or seconds and is no region; name the "
            "columns, or leave it out"
        )


def _order_hint(names: Sequence[str], atlas: Atlas) -> str:
    """Explain the commonest mismatch: Schaefer parcels come in 7- and in 17-network order."""
    for of_file, of_atlas in (("7Networks_", "17Networks_"), ("17Networks_", "7Networks_")):
        if any(name.startswith(of_file) for name in names) and any(
            name.startswith(of_atlas) for name in atlas.regions["name"]
        ):
            file_order, atlas_order = (prefix[:-9] for prefix in (of_file, of_atlas))
            return (
                f" (the file is in the order of {file_order} networks, the atlas of {atlas_order})"
            )
    return ""
