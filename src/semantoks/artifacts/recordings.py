"""Which scans are the same recording, under whatever name, scale or cut.

The search compares each scan with its nearest neighbours in connectivity only, so that no matrix of
all pairs is made; the signals over time decide (`semantoks.artifacts.fingerprints`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    OVER_TIME,
    read_connectivity,
    read_signals,
)
from semantoks.artifacts.timeseries import SOURCE, whole_runs

if TYPE_CHECKING:
    from sklearn.neighbors import NearestNeighbors

log = logging.getLogger(__name__)
NEIGHBOURS = 10
# docs/methods.md has the error rates: copies reach 0.8 even when cut to half, different recordings
# stay below 0.4.
SAME_RECORDING = 0.6
_MIN_OVERLAP = 0.5  # of the shorter scan
_MIN_VOLUMES = 30  # after resampling; correlations over fewer are large by chance
_SAME_TR = 0.01  # relative difference


@dataclass(frozen=True)
class Match:
    """Two scans of the same recording.

    Attributes
    ----------
    first, second : int
        Positions in the table.
    similarity : float
        Largest correlation over time.
    """

    first: int
    second: int
    similarity: float


def same_recordings(scans: pd.DataFrame) -> list[Match]:
    """Find the scans that are the same recording.

    Parameters
    ----------
    scans : DataFrame
        Included scans: ``fingerprint`` (hash), `FINGERPRINTS` and ``repetition_time`` (s, before
        resampling).

    Returns
    -------
    list of Match
        In the order of the table.
    """
    matches = list(_identical(scans["fingerprint"]))
    identical = {(match.first, match.second) for match in matches}
    pairs = [pair for pair in _neighbours(scans[CONNECTIVITY]) if pair not in identical]
    return sorted(
        [*matches, *_similar(scans, pairs)], key=lambda match: (match.first, match.second)
    )


def copies_of(originals: pd.DataFrame, scans: pd.DataFrame) -> np.ndarray:
    """Find the scans that are the same recording as one of a few others.

    Only pairs of an original and a scan are compared: 1,600 originals and 40,000 scans take
    seconds, where a search among all scans takes minutes.

    Parameters
    ----------
    originals, scans : DataFrame
        With the columns that `same_recordings` needs.

    Returns
    -------
    ndarray of bool
        One value per row of `scans`.
    """
    is_copy = scans["fingerprint"].isin(set(originals["fingerprint"])).to_numpy(bool, copy=True)
    table = pd.concat([originals, scans], ignore_index=True)
    n_originals = len(originals)
    others = n_originals + np.flatnonzero(~is_copy)
    pairs = _neighbours_among(table[CONNECTIVITY], np.arange(n_originals), others)
    for match in _similar(table, pairs):
        is_copy[match.second - n_originals] = True
    return is_copy


def recording_names(scans: pd.Series, matches: list[Match]) -> np.ndarray:
    """Name each recording after the first of its scans.

    Two halves of a recording have nothing in common, but both match the whole; so matches of
    matches are the same recording, too.

    Parameters
    ----------
    scans : Series of str
        Their names, in the order that `matches` refers to.
    matches : list of Match

    Returns
    -------
    ndarray of object
        One name per scan.
    """
    pairs = np.array([(match.first, match.second) for match in matches], int).reshape(-1, 2)
    shape = (len(scans), len(scans))
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape)
    components = connected_components(graph, directed=False)[1]
    return scans.groupby(components).transform("min").to_numpy(object)


def recordings_of_runs(scans: pd.DataFrame) -> np.ndarray:
    """Name the recording of each included scan, and log those that are the same.

    Parameters
    ----------
    scans : DataFrame
        As for `same_recordings`, and ``scan``.

    Returns
    -------
    ndarray of object
        One name per scan.
    """
    matches = same_recordings(scans)
    for match in matches:
        log.warning(
            "%s and %s are the same recording (r over time %.3f)",
            scans["scan"][match.first],
            scans["scan"][match.second],
            match.similarity,
        )
    return recording_names(scans["scan"], matches)


def recordings_of_blocks(blocks: pd.DataFrame) -> np.ndarray:
    """Name the recording of each included block.

    Blocks of one run are recordings of their own. Of two runs that are the same recording, all
    blocks of the second take the name of the first block of the first, so that they count as
    copies, whichever events they were cut by.

    Parameters
    ----------
    blocks : DataFrame
        Rows of the blocks: ``scan``, `SOURCE` (their run), ``repetition_time``, and in one row of
        each run its fingerprints.

    Returns
    -------
    ndarray of object
        One name per block.
    """
    names = blocks["scan"].to_numpy(object, copy=True)
    runs = whole_runs(blocks)
    recordings, first = recordings_of_runs(runs), blocks.groupby(SOURCE)["scan"].min()
    for run, recording in zip(runs["scan"], recordings, strict=True):
        if run != recording:
            names[(blocks[SOURCE] == run).to_numpy()] = first[recording]
    return names


def similarity_over_time(
    first_KT: np.ndarray, second_KT: np.ndarray, tr: np.ndarray | None = None
) -> float:
    """Return the largest correlation of two sets of signals over all shifts in time.

    Parameters
    ----------
    first_KT, second_KT : ndarray, shape (signals, volumes)
        At the same TR. The shorter of them must overlap the other by half of its length.
    tr : ndarray of float, shape (2,), optional
        Repetition times of the scans before resampling. If they differ, the signals are also
        compared volume by volume: the same file with two declared TRs is stretched in time.

    Returns
    -------
    float
        −1 if either has too few volumes.
    """
    similarities = [_largest_correlation(first_KT, second_KT)]
    ratio = 1.0 if tr is None else float(tr[0] / tr[1])
    if np.isfinite(ratio) and abs(ratio - 1) > _SAME_TR:
        from scipy.interpolate import CubicSpline  # half a second to import; rarely needed

        old = np.arange(second_KT.shape[1]) * ratio
        new = np.arange(int(old[-1] + 1e-9) + 1)
        stretched_KT = CubicSpline(old, second_KT, axis=1)(new)
        similarities.append(_largest_correlation(first_KT, stretched_KT))
    return max(similarities)


def _largest_correlation(first_KT: np.ndarray, second_KT: np.ndarray) -> float:
    n_first, n_second = first_KT.shape[1], second_KT.shape[1]
    lags = np.arange(-(n_second - 1), n_first)
    start, stop = np.maximum(lags, 0), np.minimum(n_first, lags + n_second)
    shortest = min(n_first, n_second)
    allowed = stop - start >= max(_MIN_VOLUMES, _MIN_OVERLAP * shortest)
    if not allowed.any():
        return -1.0
    from scipy.signal import fftconvolve  # half a second to import; only pairs need it

    products = fftconvolve(first_KT, second_KT[:, ::-1], axes=1).sum(axis=0)
    norms = np.sqrt(_energy(first_KT, start, stop) * _energy(second_KT, start - lags, stop - lags))
    return float((products / np.maximum(norms, 1e-12))[allowed].max())


def _energy(signals_KT: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Sum the squares of all signals from `start` to `stop`, for many intervals."""
    sums = np.concatenate([[0.0], np.cumsum((signals_KT.astype(float) ** 2).sum(axis=0))])
    return sums[stop] - sums[start]


def _identical(hashes: pd.Series) -> Iterator[Match]:
    """Yield each scan with the first of the same hash."""
    positions = pd.Series(np.arange(len(hashes)))
    first = positions.groupby(hashes.to_numpy()).transform("min")
    for position in np.flatnonzero(first.to_numpy() != positions.to_numpy()):
        yield Match(int(first[position]), int(position), 1.0)


def _similar(scans: pd.DataFrame, pairs: Iterable[tuple[int, int]]) -> Iterator[Match]:
    """Yield the pairs of rows whose signals over time are the same."""
    # Each signal is in several pairs; those of 40,000 scans take a gigabyte.
    signals = lru_cache(maxsize=50_000)(lambda row: read_signals(scans[OVER_TIME].iat[row]))
    tr = scans["repetition_time"].to_numpy(float)
    for first, second in pairs:
        similarity = similarity_over_time(signals(first), signals(second), tr[[first, second]])
        if similarity >= SAME_RECORDING:
            yield Match(first, second, similarity)


def _neighbours(fingerprints: pd.Series) -> list[tuple[int, int]]:
    """Pair each scan with those of the most similar connectivity."""
    if len(fingerprints) < 2:
        return []
    values = _directions(fingerprints)
    neighbours = _search(values, len(values) - 1).kneighbors(return_distance=False)
    return sorted(
        {(min(i, j), max(i, j)) for i, row in enumerate(neighbours.tolist()) for j in row}
    )


def _neighbours_among(
    fingerprints: pd.Series, rows: np.ndarray, others: np.ndarray
) -> list[tuple[int, int]]:
    """Pair each of some rows with those of the others that have the most similar connectivity."""
    if not (len(rows) and len(others)):
        return []
    values = _directions(fingerprints)
    search = _search(values[others], len(others))
    neighbours = search.kneighbors(values[rows], return_distance=False)
    return [
        (int(row), int(j)) for row, near in zip(rows, others[neighbours], strict=True) for j in near
    ]


def _search(values: np.ndarray, others: int) -> NearestNeighbors:
    """Prepare the search for the nearest rows, of which there are at most `others`."""
    # Imported here: it takes a second, and pretraining compares nobody unless people are held out.
    from sklearn.neighbors import NearestNeighbors

    # By blocks of rows. Euclidean distances of unit vectors have the order of correlations.
    search = NearestNeighbors(n_neighbors=min(NEIGHBOURS, others), algorithm="brute")
    return search.fit(values)


def _directions(fingerprints: pd.Series) -> np.ndarray:
    """Return the connectivity of scans as unit vectors."""
    values = np.stack([read_connectivity(content) for content in fingerprints])
    # What all scans have in common says nothing about who it is.
    values -= values.mean(axis=0)
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return values
