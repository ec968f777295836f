"""Confound time series with fMRIPrep's column names, so nilearn's `load_confounds` reads them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from semantoks.data.preprocess.minimal.geometry import PARAMETERS

RADIUS = 50.0  # mm, of the head; converts rotations into displacements (Power et al. 2012)
HIGH_PASS = 128.0  # s, cut-off period; the cosines model longer ones
COMPCOR_VARIANCE = 0.5  # fraction of variance that the retained components explain, as in fMRIPrep
NON_STEADY_ABOVE = 3.5  # modified z-score (Iglewicz & Hoaglin 1993)

Metadata = Mapping[str, Mapping[str, str | float | bool]]  # column → its entry in the sidecar
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
    masks: Mapping[str, np.ndarray],
    motion: np.ndarray,
    repetition_time: float,
    non_steady: int,
) -> tuple[pd.DataFrame, Metadata]:
    """Compute all confounds of a run.

    Parameters
    ----------
    series : ndarray, shape (voxels, volumes)
        Preprocessed voxels.
    masks : mapping of str to ndarray of bool, shape (voxels,)
        `brain`, `csf` and `white_matter`.
    motion : ndarray, shape (volumes, 6)
        Translations in mm, rotations in rad.
    repetition_time : float
        Seconds per volume.
    non_steady : int
        Number of initial volumes that are not in steady state.

    Returns
    -------
    table : DataFrame
        One row per volume.
    metadata : mapping
        Content of the JSON sidecar: units and descriptions, and for each aCompCor component the
        fields by which nilearn selects components.
    """
    table = pd.DataFrame(motion, columns=list(PARAMETERS))
    table["global_signal"] = _mean(series, masks["brain"])
    table["csf"] = _mean(series, masks["csf"])
    table["white_matter"] = _mean(series, masks["white_matter"])
    # Six motion and three tissue signals, expanded fourfold, are the 36 columns of `36p`.
    table = _expanded(table)
    table["framewise_displacement"] = framewise_displacement(motion)
    table["dvars"], table["std_dvars"] = dvars(series[masks["brain"]])
    cosines = cosine_basis(series.shape[1], repetition_time)
    for number, column in enumerate(cosines.T):
        table[f"cosine{number:02d}"] = column
    for number in range(non_steady):
        table[f"non_steady_state_outlier{number:02d}"] = np.eye(len(table), dtype=int)[number]
    # Non-steady-state volumes would dominate the components, so they are left out and set to 0.
    tissue = (masks["csf"] | masks["white_matter"]) & masks["brain"]
    components, metadata = acompcor(series[tissue, non_steady:], cosines[non_steady:])
    padded = np.pad(components, [(non_steady, 0), (0, 0)])
    for name, column in zip(metadata, padded.T, strict=True):
        table[name] = column
    return table, {**METADATA, **metadata}


def framewise_displacement(motion: np.ndarray) -> np.ndarray:
    """Compute framewise displacement (Power et al. 2012, doi:10.1016/j.neuroimage.2011.10.018).

    Parameters
    ----------
    motion : ndarray, shape (volumes, 6)
        Translations in mm, rotations in rad.

    Returns
    -------
    ndarray, shape (volumes,)
        Sum of the absolute changes from the previous volume in mm; the first value is NaN.
    """
    change = np.abs(np.diff(motion, axis=0))
    return np.r_[np.nan, change[:, :3].sum(1) + RADIUS * change[:, 3:].sum(1)]


def dvars(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute DVARS, the root mean square change between volumes (Power et al. 2012).

    Parameters
    ----------
    series : ndarray, shape (voxels, volumes)
        Brain voxels.

    Returns
    -------
    dvars : ndarray, shape (volumes,)
        With the brain scaled to a median of 1000; the first value is NaN.
    std_dvars : ndarray, shape (volumes,)
        DVARS divided by its expectation under a first-order autoregressive model of each voxel,
        with robust variance (Nichols 2017, arXiv:1704.01469); the first value is NaN.
    """
    scaled = series * (1000 / np.median(series.mean(axis=1)))
    low, high = np.percentile(scaled, [25, 75], axis=1)
    centred = scaled - scaled.mean(axis=1, keepdims=True)
    # A constant voxel would give 0 / 0.
    power = np.maximum((centred**2).sum(axis=1), np.finfo(np.float32).tiny)
    lag1 = (centred[:, 1:] * centred[:, :-1]).sum(axis=1) / power
    # The interquartile range of normal data is 1.349 standard deviations, and ignores spikes.
    expected = np.sqrt(np.mean(2 * (1 - lag1) * ((high - low) / 1.349) ** 2))
    change = np.sqrt(np.mean(np.diff(scaled, axis=1) ** 2, axis=0))
    return np.r_[np.nan, change], np.r_[np.nan, change / expected]


def cosine_basis(volumes: int, repetition_time: float) -> np.ndarray:
    """Compute the discrete cosines with periods of `HIGH_PASS` seconds and more.

    Returns
    -------
    ndarray, shape (volumes, n)
        Orthonormal columns, without the constant.
    """
    # The k-th cosine has a period of 2 · volumes · repetition_time / k seconds.
    n = int(np.floor(2 * volumes * repetition_time / HIGH_PASS))
    moments = (np.arange(volumes) + 0.5)[:, None] / volumes
    basis = np.cos(np.pi * moments * np.arange(1, n + 1))
    return np.asarray(basis * np.sqrt(2 / volumes))


def acompcor(series: np.ndarray, cosines: np.ndarray) -> tuple[np.ndarray, Metadata]:
    """Compute principal components of CSF and white matter voxels (aCompCor).

    Slow drifts are removed first. Source: Behzadi et al. 2007,
    doi:10.1016/j.neuroimage.2007.04.042.

    Parameters
    ----------
    series : ndarray, shape (voxels, volumes)
    cosines : ndarray, shape (volumes, n)
        See `cosine_basis`.

    Returns
    -------
    components : ndarray, shape (volumes, retained)
        The leading components that together explain `COMPCOR_VARIANCE` of the variance.
    metadata : mapping
        For each component the fields by which nilearn selects components.
    """
    drift = np.linalg.qr(np.column_stack([np.ones(len(cosines)), cosines]))[0]
    clean = series - (series @ drift) @ drift.T
    # Unit variance, or the brightest voxels would determine the components.
    scale = clean.std(axis=1, keepdims=True)
    clean = (clean / np.where(scale > 0, scale, 1)).astype(np.float64)
    # Eigenvectors of the (volumes, volumes) matrix are the right singular vectors of `clean`, which
    # has many more voxels than volumes.
    power, vectors = np.linalg.eigh(clean.T @ clean)
    power, vectors = np.maximum(power[::-1], 0), vectors[:, ::-1]
    share = power / max(power.sum(), np.finfo(float).tiny)
    total = np.cumsum(share)
    retained = min(int(np.searchsorted(total, COMPCOR_VARIANCE)) + 1, len(share))
    # The sign of an eigenvector is arbitrary: make its largest entry positive.
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(share))])
    metadata: Metadata = {
        f"a_comp_cor_{i:02d}": {
            "Method": "aCompCor",
            "Mask": "combined",
            "Retained": True,
            "SingularValue": float(np.sqrt(power[i])),
            "VarianceExplained": float(share[i]),
            "CumulativeVarianceExplained": float(total[i]),
        }
        for i in range(retained)
    }
    return (vectors * signs)[:, :retained], metadata


def count_non_steady(images: np.ndarray) -> int:
    """Count initial volumes that are brighter than later ones, before the steady state.

    Parameters
    ----------
    images : ndarray, shape (x, y, z, volumes)
        The run.
    """
    # As in nipype's NonSteadyStateDetector, which fMRIPrep uses: 50 volumes, the same threshold.
    signal = images[..., :50].mean(axis=(0, 1, 2), dtype=np.float64)
    deviation = signal - np.median(signal)
    spread = np.median(np.abs(deviation)) / 0.6745  # standard deviation, if normal
    bright = deviation > NON_STEADY_ABOVE * max(spread, 1e-9)
    return int(np.argmin(bright)) if bright[0] else 0


def _mean(series: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.asarray(series[mask].mean(axis=0, dtype=np.float64))


def _expanded(table: pd.DataFrame) -> pd.DataFrame:
    """Add backward differences, squares, and squared differences to the columns."""
    # The first row is NaN as in fMRIPrep's tables; nilearn fills it with the second.
    difference = table.diff()
    parts = [
        table,
        difference.add_suffix("_derivative1"),
        (table**2).add_suffix("_power2"),
        (difference**2).add_suffix("_derivative1_power2"),
    ]
    return pd.concat(parts, axis=1)
