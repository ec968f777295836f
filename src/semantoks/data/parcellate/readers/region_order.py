"""Match the columns of given time series with the regions of an atlas."""

from __future__ import annotations

from collections.abc import Sequence

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
        Names of the columns; None if they are the atlas's regions in order.
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
        return values_TC
    positions = _positions(names, atlas)
    region_of = {column: positions[name] for column, name in enumerate(names) if name in positions}
    if len(region_of) < MIN_KNOWN * len(names):
        unknown = next(name for name in names if name not in positions)
        raise ScanError(
            f"{len(region_of)} of {len(names)} columns of {source} are regions of the atlas "
            f"{atlas.name}, '{unknown}' is not{_order_hint(names, atlas)}"
        )
    if len(set(region_of.values())) < len(region_of):
        raise ScanError(f"{source} has two columns of one region")
    # NaN rather than 0: the model masks regions without data, but would use zeros.
    aligned_TC = np.full((len(values_TC), len(atlas.regions)), np.nan)
    aligned_TC[:, list(region_of.values())] = values_TC[:, list(region_of)]
    return aligned_TC


def _positions(names: Sequence[str], atlas: Atlas) -> dict[str, int]:
    """Position of each region: by its label if all names are numbers, else by its name."""
    if all(name.isdigit() for name in names):
        return {str(int(label)): n for n, label in enumerate(atlas.regions["index"])}
    return {str(name): n for n, name in enumerate(atlas.regions["name"])}


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
