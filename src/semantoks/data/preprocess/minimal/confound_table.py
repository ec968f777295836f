"""Nuisance time series, under fMRIPrep's names so that nilearn's `load_confounds` reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semantoks.data.preprocess.minimal.geometry import PARAMETERS

RADIUS = 50.0  # mm; turns radians into displacement (Power et al. 2012)
HIGH_PASS = 128.0  # s, longest period that the cosines leave alone
COMPCOR_VARIANCE = 0.5  # retained by aCompCor (Behzadi et al. 2007), as fMRIPrep does
STEADY_AFTER = 3.5  # modified z-score (Iglewicz & Hoaglin 1993) above which a first volume is odd
METADATA = {
    "trans_x": {
        "Units": "mm",
        "Description": "Motion of the head since the reference volume (RAS)",
    },
    "rot_x": {"Units": "rad", "Description": "About the middle of the BOLD grid"},
    "framewise_displacement": {"Units": "mm", "Description": "Power et al. (2012), 50 mm"},
    "std_dvars": {"Description": "DVARS over its expectation for independent noise (Nichols 2013)"},
}


def confound_table(
    series: np.ndarray,
    masks: dict[str, np.ndarray],
    motion: np.ndarray,
    repetition_time: float,
    non_steady: int,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Compute all confounds of a run.

    Parameters
    ----------
    series
        Preprocessed voxels, shape (voxels, volumes).
    masks
        `brain`, `csf` and `white_matter`: which voxels, bool.
    motion
        Shape (volumes, 6), mm and rad.
    repetition_time
        Seconds per volume.
    non_steady
        How many volumes at the start are not in steady state.

    Returns
    -------
    table : DataFrame, one row per volume
    metadata : dict
        For the JSON file beside it; every aCompCor component with its variance explained.
    """
    table = pd.DataFrame(motion, columns=list(PARAMETERS))
    table["global_signal"] = _mean(series, masks["brain"])
    table["csf"] = _mean(series, masks["csf"])
    table["white_matter"] = _mean(series, masks["white_matter"])
    table = _expanded(table)
    table["framewise_displacement"] = framewise_displacement(motion)
    table["dvars"], table["std_dvars"] = dvars(series[masks["brain"]])
    cosines = cosine_basis(series.shape[1], repetition_time)
    for number, column in enumerate(cosines.T):
        table[f"cosine{number:02d}"] = column
    for number in range(non_steady):
        table[f"non_steady_state_outlier{number:02d}"] = np.eye(len(table), dtype=int)[number]
    tissue = (masks["csf"] | masks["white_matter"]) & masks["brain"]
    components, metadata = acompcor(series[tissue, non_steady:], cosines[non_steady:])
    padded = np.pad(components, [(non_steady, 0), (0, 0)])
    for name, column in zip(metadata, padded.T, strict=True):
        table[name] = column
    return table, {**METADATA, **metadata}


def framewise_displacement(motion: np.ndarray) -> np.ndarray:
    """Sum of absolute changes (mm) since the volume before, shape (volumes,); the first is NaN."""
    change = np.abs(np.diff(motion, axis=0))
    return np.r_[np.nan, change[:, :3].sum(1) + RADIUS * change[:, 3:].sum(1)]


def dvars(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square change of the brain from volume to volume (Power et al. 2012).

    Parameters
    ----------
    series
        Brain voxels, shape (voxels, volumes).

    Returns
    -------
    dvars : ndarray, shape (volumes,)
        With the brain scaled to a median of 1000; the first value is NaN.
    std_dvars : ndarray, shape (volumes,)
        Relative to what the voxels' own robust variance and autocorrelation let expect.
    """
    scaled = series * (1000 / np.median(series.mean(axis=1)))
    low, high = np.percentile(scaled, [25, 75], axis=1)
    centred = scaled - scaled.mean(axis=1, keepdims=True)
    power = np.maximum((centred**2).sum(axis=1), np.finfo(np.float32).tiny)
    lag1 = (centred[:, 1:] * centred[:, :-1]).sum(axis=1) / power
    expected = np.sqrt(np.mean(2 * (1 - lag1) * ((high - low) / 1.349) ** 2))
    change = np.sqrt(np.mean(np.diff(scaled, axis=1) ** 2, axis=0))
    return np.r_[np.nan, change], np.r_[np.nan, change / expected]


def cosine_basis(volumes: int, repetition_time: float) -> np.ndarray:
    """Cosines with periods of `HIGH_PASS` seconds and more, shape (volumes, n); no constant."""
    n = int(np.floor(2 * volumes * repetition_time / HIGH_PASS))
    moments = (np.arange(volumes) + 0.5)[:, None] / volumes
    basis = np.cos(np.pi * moments * np.arange(1, n + 1))
    return np.asarray(basis * np.sqrt(2 / volumes))


def acompcor(series: np.ndarray, cosines: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Principal components of voxels in fluid and white matter, slow drift removed.

    Parameters
    ----------
    series
        Shape (voxels, volumes).
    cosines
        Shape (volumes, n), see `cosine_basis`.

    Returns
    -------
    components : ndarray, shape (volumes, retained)
        As many as explain half of the variance.
    metadata : dict
        Name of each → what nilearn needs to choose it.
    """
    slow = np.linalg.qr(np.column_stack([np.ones(len(cosines)), cosines]))[0]
    clean = series - (series @ slow) @ slow.T
    scale = clean.std(axis=1, keepdims=True)
    clean = (clean / np.where(scale > 0, scale, 1)).astype(np.float64)
    power, vectors = np.linalg.eigh(clean.T @ clean)
    power, vectors = np.maximum(power[::-1], 0), vectors[:, ::-1]
    share = power / max(power.sum(), np.finfo(float).tiny)
    total = np.cumsum(share)
    kept = min(int(np.searchsorted(total, COMPCOR_VARIANCE)) + 1, len(share))
    # The sign of an eigenvector is arbitrary: make its largest entry positive.
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(share))])
    metadata = {
        f"a_comp_cor_{i:02d}": {
            "Method": "aCompCor",
            "Mask": "combined",
            "Retained": True,
            "SingularValue": float(np.sqrt(power[i])),
            "VarianceExplained": float(share[i]),
            "CumulativeVarianceExplained": float(total[i]),
        }
        for i in range(kept)
    }
    return (vectors * signs)[:, :kept], metadata


def count_non_steady(images: np.ndarray) -> int:
    """Count the first volumes that are brighter than the rest, before magnetisation settles."""
    signal = images[..., :50].mean(axis=(0, 1, 2), dtype=np.float64)
    away = signal - np.median(signal)
    spread = np.median(np.abs(away)) / 0.6745
    odd = away > STEADY_AFTER * max(spread, 1e-9)
    return int(np.argmin(odd)) if odd[0] else 0


def _mean(series: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.asarray(series[mask].mean(axis=0, dtype=np.float64))


def _expanded(table: pd.DataFrame) -> pd.DataFrame:
    """Add backward differences, squares, and squares of the differences."""
    difference = table.diff()
    parts = [
        table,
        difference.add_suffix("_derivative1"),
        (table**2).add_suffix("_power2"),
        (difference**2).add_suffix("_derivative1_power2"),
    ]
    return pd.concat(parts, axis=1)
