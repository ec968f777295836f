"""Representations of scans: embeddings, connectivity, covariates, all in one file format.

A representation is a Parquet file with one row per scan: the scan's entities and ``features``.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, tee
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from semantoks.artifacts.tables import iter_arrays, read_metadata, read_table, write_rows
from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.errors import UserError

log = logging.getLogger(__name__)

LARGE_FEATURES = 2**31  # bytes that features in double precision may take in memory
ROWS_AT_A_TIME = 1000
ROWS_PER_GROUP = 32  # the Parquet writer keeps 13 kB in memory per row group


class FeatureBlock(NamedTuple):
    """A named block of columns.

    Attributes
    ----------
    name : str
    size : int
        Number of columns.
    weight : float
        Of its kernel beside those of the other blocks, relative to theirs.
    """

    name: str
    size: int
    weight: float = 1.0


@dataclass(frozen=True)
class ParticipantFeatures:
    """A representation with one row per participant.

    Attributes
    ----------
    participant_id : list of str, sorted
    features_PF : ndarray, shape (participants, features)
        Mean over the scans of each participant; NaN where every scan is NaN.
    names : list of str
        Names of the features, empty where they have none.
    fitted : str
        Projection that the probe fits to the training participants first, such as "tangent"; a
        key of `semantoks.scores.represent.projections.PROJECTIONS`, or empty.
    blocks : tuple of FeatureBlock
        Blocks of columns, in column order; empty where there is one block without a name.
    """

    participant_id: list[str]
    features_PF: np.ndarray
    names: list[str]
    fitted: str = ""
    blocks: tuple[FeatureBlock, ...] = ()

    @property
    def columns(self) -> dict[str, slice]:
        """Columns of each block, by its name."""
        ends = np.cumsum([block.size for block in self.blocks]).tolist()
        return {
            block.name: slice(end - block.size, end)
            for block, end in zip(self.blocks, ends, strict=True)
        }


def write_representation(
    path: Path,
    scans: pd.DataFrame,
    features: np.ndarray | Iterable[np.ndarray],
    names: Sequence[str] = (),
    *,
    fitted: str = "",
    windows: bool = False,
    sources: Mapping[str, str | None] | None = None,
    blocks: Sequence[FeatureBlock] = (),
) -> None:
    """Write one row of features per scan, sorted by scan.

    Parameters
    ----------
    path : Path
    scans : DataFrame
        `SCAN_ENTITIES` of each scan.
    features : ndarray, shape (scans, features), or iterable of ndarray
        An iterable yields one row per scan, sorted by scan name, and is never held in memory as a
        whole.
    names : sequence of str
        Names of the features.
    fitted : str
        See `ParticipantFeatures`.
    windows : bool
        Each scan has one row per window, shape (windows, features). ``features`` is then their
        mean, and the windows are stored in a second column for the protocol of the paper.
    sources : mapping of str to (str or None), optional
        Of confounds: the column of the table of participants that each comes from, empty if it is
        measured in the scans, None if it is not known.
    blocks : sequence of FeatureBlock
        Blocks of columns, in column order (default: one block).

    Raises
    ------
    ValueError
        If `features` is an iterable and `scans` is not sorted by scan name, or if the sizes of
        `blocks` do not add up to the number of features. Features with names or a projection have
        no blocks.
    UserError
        If no scan has a finite feature; nothing is written then.
    """
    order = np.argsort(scans["scan"].to_numpy(), kind="stable")
    table = scans.iloc[order][list(SCAN_ENTITIES)].reset_index(drop=True)
    if not isinstance(features, np.ndarray) and (order != np.arange(len(order))).any():
        raise ValueError("an iterable of features needs a table of scans sorted by scan name")
    rows = _with_values(features[order] if isinstance(features, np.ndarray) else features, table)
    if blocks and (names or fitted):
        # The probe drops named features, and projections change their number.
        raise ValueError("features with names or a projection have no blocks")
    rows = _in_blocks(rows, blocks) if blocks else rows
    columns: dict[str, Iterable[np.ndarray]] = {"features": rows}
    if windows:
        # `write_rows` takes both columns row by row, so `tee` buffers one scan at most.
        to_average, to_store = tee(rows)
        columns = {"features": (scan.mean(axis=0) for scan in to_average), "windows": to_store}
    metadata: dict[str, object] = {"names": list(names), "fitted": fitted}
    metadata |= {"sources": dict(sources)} if sources else {}
    metadata |= {"blocks": [list(block) for block in blocks]} if blocks else {}
    write_rows(path, table, columns, metadata, rows_per_group=ROWS_PER_GROUP)


def _with_values(rows: Iterable[np.ndarray], table: pd.DataFrame) -> Iterator[np.ndarray]:
    """Pass rows on, warn of scans without any finite feature, and refuse if there are no others."""
    empty: list[str] = []
    for number, (scan, row) in enumerate(zip(table["scan"], rows, strict=True), 1):
        if row.shape[-1] and not np.isfinite(row).any():
            empty.append(scan)
        if empty and number == len(table):
            log.warning("%d of %d scans have no features: %s", len(empty), number, _first(empty))
        if len(empty) == len(table):
            raise UserError(
                f"None of {number} scans has a feature that is a finite number, so there is "
                "nothing to score. Too few of their regions have data: exclude them with "
                "parcellation.min_scan_coverage, or take another model."
            )
        yield row


def _in_blocks(rows: Iterable[np.ndarray], blocks: Sequence[FeatureBlock]) -> Iterator[np.ndarray]:
    """Pass rows on, and refuse those whose features are not as many as the blocks say."""
    names, features = [block.name for block in blocks], sum(block.size for block in blocks)
    if len(set(names)) < len(names) or not all(b.size > 0 and b.weight > 0 for b in blocks):
        raise ValueError(
            f"blocks need different names, positive sizes and positive weights: {list(blocks)}"
        )
    for row in rows:
        if row.shape[-1] != features:
            raise ValueError(f"blocks have {features} features, but a row has {row.shape[-1]}")
        yield row


def _first(names: Sequence[str], shown: int = 10) -> str:
    return ", ".join(names[:shown]) + (", …" if len(names) > shown else "")


def has_features(features_PF: np.ndarray) -> np.ndarray:
    """Return for each row whether any feature is finite; True where there are no features.

    A model of missing features can fill single ones. A row of which nothing is known must not pass
    for an average participant without a word.
    """
    parts = np.array_split(features_PF, range(0, len(features_PF), ROWS_AT_A_TIME))
    known = np.concatenate([np.isfinite(part_PF).any(axis=1) for part_PF in parts])
    return known | (features_PF.shape[1] == 0)


def read_participant_features(
    path: Path,
    participant_ids: Iterable[str] | None = None,
    person_of: Mapping[str, str] | None = None,
    scratch: Path | None = None,
) -> ParticipantFeatures:
    """Read a representation and average the scans of each participant.

    Only one scan at a time is in memory beside the result.

    Parameters
    ----------
    path : Path
    participant_ids : iterable of str, optional
        Participants to read (default: all). Those without a scan are left out.
    person_of : mapping of str to str, optional
        Person of each block, over whose blocks it is averaged then.
    scratch : Path, optional
        Folder for a file in single precision that features of more than `LARGE_FEATURES` bytes are
        mapped from, instead of being held in memory. It has no name and vanishes with the array.
    """
    metadata, ids = read_metadata(path), read_scan_entities(path)["participant_id"].astype(str)
    ids = ids if person_of is None else ids.map(person_of)
    names, fitted = metadata.get("names", []), metadata.get("fitted", "")
    blocks = tuple(FeatureBlock(*block) for block in metadata.get("blocks", ()))
    rows_of = ids.groupby(ids).indices
    selected = rows_of if participant_ids is None else rows_of.keys() & set(participant_ids)
    participants = sorted(selected)
    if not participants:
        return ParticipantFeatures([], np.empty((0, 0)), names, fitted, blocks)
    first = next(iter_features(path, [0]))
    features_PF = _empty((len(participants), len(first)), scratch)
    # Rows in the order of participants, so that those of each participant follow one another.
    scans = iter_features(path, np.concatenate([rows_of[name] for name in participants]))
    for index, name in enumerate(participants):
        features_PF[index] = nan_mean(np.stack(list(islice(scans, len(rows_of[name])))))
    return ParticipantFeatures(participants, features_PF, names, fitted, blocks)


def _empty(shape: tuple[int, int], scratch: Path | None) -> np.ndarray:
    """Return an array to fill, of float64 in memory or of float32 in a file."""
    if scratch is None or 8 * shape[0] * shape[1] <= LARGE_FEATURES:
        return np.empty(shape)
    with tempfile.TemporaryFile(dir=scratch) as file:
        return np.memmap(file, np.float32, "w+", shape=shape)


def read_scan_entities(path: Path) -> pd.DataFrame:
    """Read the entities of the scans of a representation, in row order."""
    return read_table(path, list(SCAN_ENTITIES))


def iter_features(path: Path, rows: Iterable[int]) -> Iterator[np.ndarray]:
    """Yield the features (float64) of the given rows, one row in memory at a time."""
    return (row.astype(float) for row in iter_arrays(path, "features", rows))


def read_features(path: Path, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Read the features of the given rows, shape (rows, features)."""
    size = len(next(iter_features(path, rows[:1])))
    # fromiter fills the result row by row; np.stack would need a list of all rows beside it.
    return np.fromiter(iter_features(path, rows), np.dtype((float, size)), len(rows))


def read_windows(path: Path) -> dict[str, np.ndarray]:
    """Read the features of all windows of each participant, shape (windows, features).

    Empty for a representation that was written without windows. Windows without any finite feature
    are left out, unless a participant has no others.
    """
    table = read_table(path)
    windows: dict[str, list[np.ndarray]] = {}
    if "windows" not in table:
        return {}
    for participant, features, values in zip(
        table["participant_id"].astype(str), table["features"], table["windows"], strict=True
    ):
        scan_windows = np.asarray(values, float).reshape(-1, len(features))
        windows.setdefault(participant, []).append(scan_windows)
    return {participant: _known_windows(np.concatenate(w)) for participant, w in windows.items()}


def _known_windows(windows_WF: np.ndarray) -> np.ndarray:
    known = has_features(windows_WF)
    return windows_WF[known] if known.any() else windows_WF[:1]


def nan_mean(rows: np.ndarray) -> np.ndarray:
    """Average rows without their NaN entries; unlike `np.nanmean` without a warning."""
    known = np.isfinite(rows)
    total = np.where(known, rows, 0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
