"""The time series of one shard: read, clean and tabulate each scan."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from semantoks.artifacts.fingerprints import (
    CONNECTIVITY,
    FINGERPRINTS,
    OVER_TIME,
    connectivity_fingerprint,
    temporal_fingerprint,
)
from semantoks.artifacts.timeseries import EXCLUDED, INCLUDED, SCAN_ENTITIES, Manifest
from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.index.shards import ScanT
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.quality import MEASURES
from semantoks.data.parcellate.readers.reader import ScanReader
from semantoks.errors import ScanError, UserError

log = logging.getLogger(__name__)
COLUMNS = (*SCAN_ENTITIES, "status", "reason", "fingerprint", *FINGERPRINTS, *MEASURES)


@dataclass(frozen=True)
class ShardTimeseries:
    """The content of a time-series file, in the order of the shard's table.

    Attributes
    ----------
    table : DataFrame
        `COLUMNS`, one row per scan.
    timeseries : list of ndarray (regions, volumes) or None
        None where a scan is excluded.
    amplitudes : list of ndarray (regions,) or None
        Log standard deviations before the z-score.
    means : list of ndarray (regions, volumes) or None, or None
        Regional means before cleaning, if they are kept.
    manifest : Manifest
    """

    table: pd.DataFrame
    timeseries: list[np.ndarray | None]
    amplitudes: list[np.ndarray | None] | None
    means: list[np.ndarray | None] | None
    manifest: Manifest


@dataclass(frozen=True)
class _Outcome:
    """What became of one scan; an excluded one has no arrays."""

    row: dict[str, object]
    timeseries_CT: np.ndarray | None = None
    amplitude_C: np.ndarray | None = None
    means_CT: np.ndarray | None = None
    space: str | None = None


def parcellate_scans(
    scans: Sequence[ScanT],
    reader: ScanReader[ScanT],
    atlas: Atlas,
    settings: Parcellation,
    engine: str,
    by_hand: Mapping[str, str] = MappingProxyType({}),
) -> ShardTimeseries:
    """Make the time series of the scans of a shard.

    A scan that fails becomes a row with its reason, so that it never stops the cohort.

    Parameters
    ----------
    scans : sequence of RawScan or DerivativeScan
    reader : ScanReader
        Reads the regional means of one scan.
    atlas : Atlas
    settings : Parcellation
    engine : str
        Software that preprocessed the images, for the manifest.
    by_hand : mapping of str to str
        Scans that are excluded by hand, and why. They are measured like others.

    Returns
    -------
    ShardTimeseries
    """
    outcomes, started = list[_Outcome](), time.monotonic()
    for number, scan in enumerate(scans, 1):
        outcome = _parcellate_scan(scan, reader, settings)
        if scan.scan in by_hand and outcome.timeseries_CT is not None:
            outcome = _excluded(outcome, by_hand[scan.scan])
        outcomes.append(outcome)
        log.info("%d of %d scans, %.0f s", number, len(scans), time.monotonic() - started)
    # A measure that is missing from MEASURES would vanish here without a word.
    unknown = {key for outcome in outcomes for key in outcome.row} - set(COLUMNS)
    if unknown:
        raise ValueError(f"not in quality.MEASURES: {', '.join(sorted(unknown))}")
    table = pd.DataFrame([outcome.row for outcome in outcomes], columns=COLUMNS)
    spaces = {outcome.space for outcome in outcomes if outcome.space is not None}
    return ShardTimeseries(
        # A measure that no scan has would otherwise get another column type than in other shards.
        table.astype(dict.fromkeys(MEASURES, float)),
        [outcome.timeseries_CT for outcome in outcomes],
        _amplitudes(outcomes),
        [outcome.means_CT for outcome in outcomes] if settings.keep_means else None,
        manifest_of(atlas, settings, reader.confounds, ", ".join(sorted(spaces)), engine),
    )


def _amplitudes(outcomes: Sequence[_Outcome]) -> list[np.ndarray | None] | None:
    """Return the amplitudes of all scans; None if no scan has any, so that there is no column."""
    amplitudes = [outcome.amplitude_C for outcome in outcomes]
    return amplitudes if any(amplitude is not None for amplitude in amplitudes) else None


def _parcellate_scan(scan: ScanT, reader: ScanReader[ScanT], settings: Parcellation) -> _Outcome:
    """Read and clean one scan; any error becomes the reason of its row."""
    row: dict[str, object] = {name: getattr(scan, name) for name in SCAN_ENTITIES}
    try:
        if scan.problem:
            raise ScanError(scan.problem)
        means = reader.read(scan)
        timeseries_CT, measures, amplitude_C = clean_scan(means, settings)
    except ScanError as error:
        return _Outcome(row | error.measures | {"status": EXCLUDED, "reason": str(error)})
    except UserError:  # a full disk is no fault of the scan
        raise
    except Exception as error:  # a library may raise anything on malformed data
        log.exception("%s failed", scan.scan)
        reason = f"{type(error).__name__}: {error}"
        return _Outcome(row | {"status": EXCLUDED, "reason": reason})
    row |= measures | {"status": INCLUDED, "reason": ""} | _fingerprints(timeseries_CT)
    # Means that are not kept would double the memory of a shard.
    means_CT = means.means_TC.T if settings.keep_means else None
    return _Outcome(row, timeseries_CT, amplitude_C, means_CT, means.space)


def _excluded(outcome: _Outcome, reason: str) -> _Outcome:
    """Take the time series of a scan away, and keep its measures."""
    gone = {"fingerprint", *FINGERPRINTS}
    row = {name: value for name, value in outcome.row.items() if name not in gone}
    return _Outcome(row | {"status": EXCLUDED, "reason": reason}, space=outcome.space)


def _fingerprints(timeseries_CT: np.ndarray) -> dict[str, object]:
    return {
        "fingerprint": fingerprint(timeseries_CT),
        CONNECTIVITY: connectivity_fingerprint(timeseries_CT),
        OVER_TIME: temporal_fingerprint(timeseries_CT),
    }


def fingerprint(timeseries_CT: np.ndarray) -> str:
    """Hash a time series, to recognise the same scan under another name."""
    return hashlib.sha256(np.ascontiguousarray(timeseries_CT).tobytes()).hexdigest()[:16]


def manifest_of(
    atlas: Atlas, settings: Parcellation, confounds: str, space: str, engine: str
) -> Manifest:
    """Describe the file, so that a model can check that it fits before it reads arrays."""
    return Manifest(
        atlas=atlas.name,
        atlas_sha256=atlas.sha256,
        labels=tuple(atlas.regions["name"]),
        networks=tuple(atlas.regions["network"]),
        space=space,
        tr=settings.repetition_time,
        low_pass=settings.low_pass,
        high_pass=settings.high_pass,
        confounds=confounds,
        engine=engine,
    )
