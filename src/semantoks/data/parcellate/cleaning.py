"""Clean the regional means of one scan, or refuse it."""

from __future__ import annotations

import numpy as np

from semantoks.artifacts.zscores import log_deviation, zscore
from semantoks.config import Parcellation
from semantoks.data.parcellate.quality import require_quality
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.signals import MIN_VOLUMES, clean, resample_time
from semantoks.errors import ScanError

MIN_REGIONS = 3  # fewer may have the same value by chance


def clean_scan(
    scan: RegionalMeans, settings: Parcellation
) -> tuple[np.ndarray, dict[str, float], np.ndarray | None]:
    """Check the quality of a scan and clean, resample and z-score its regional means.

    Parameters
    ----------
    scan : RegionalMeans
    settings : Parcellation

    Returns
    -------
    timeseries_CT : ndarray of float32, shape (regions, volumes)
        A region without coverage is NaN throughout.
    measures : dict of str to float
        Those of `quality.MEASURES` that are known.
    amplitude_C : ndarray of float32, shape (regions,), or None
        Log standard deviation of the cleaned signal, in the unit of the means: what the z-score
        takes away. NaN where the time series is; None if the means were z-scored already, since
        what the filter leaves of a variance of one is no amplitude.

    Raises
    ------
    ScanError
        When the scan misses a threshold or cannot be filtered.
    """
    # Before the filter, which takes most of the time; the measures go into the scan table anyway.
    covered_C = _covered_regions(scan)
    measures = scan.measures | measure(scan, covered_C, settings)
    require_quality(measures, settings)
    _require_filterable(scan, measures, settings)
    deviation_C = _uncensored(scan)[:, covered_C].std(axis=0)
    signals_TC = clean(
        # In units of the deviation, so that what is left after cleaning is judged by what was
        # there before, whatever the units of the data.
        scan.means_TC[:, covered_C] / deviation_C,
        scan.confounds,
        scan.tr,
        settings.low_pass,
        settings.high_pass,
        scan.sample_mask,
    )
    # z-score last, since interpolation changes the variance.
    signals_TC = resample_time(signals_TC, scan.tr, settings.repetition_time)
    timeseries_CT = np.full((len(covered_C), len(signals_TC)), np.nan, np.float32)
    timeseries_CT[covered_C] = zscore(signals_TC.T)
    if np.isnan(timeseries_CT).all():
        raise ScanError("no region changes over time", measures)
    if _were_standardised(scan.means_TC[:, covered_C]):
        return timeseries_CT, measures, None
    amplitude_C = np.full(len(covered_C), np.nan, np.float32)
    amplitude_C[covered_C] = log_deviation(signals_TC.T) + np.log(deviation_C)
    return timeseries_CT, measures, amplitude_C


def measure(scan: RegionalMeans, covered_C: np.ndarray, settings: Parcellation) -> dict[str, float]:
    """Measure how much data is left after censoring, band-pass and confounds.

    The band-pass leaves 2 · seconds · bandwidth degrees of freedom, and each confound takes one:
    240 s have 43 between 0.01 and 0.1 Hz, and 24 motion regressors take most of them.

    Parameters
    ----------
    scan : RegionalMeans
    covered_C : ndarray of bool, shape (regions,)
    settings : Parcellation

    Returns
    -------
    dict of str to float
        ``repetition_time`` and ``seconds`` (s), ``start`` (s from the first volume of the scan to
        the first one that is not censored, with which the cleaned time series begins), ``dof``,
        ``censored`` and ``coverage`` (fractions).
    """
    volumes = len(scan.means_TC)
    uncensored = volumes if scan.sample_mask is None else len(scan.sample_mask)
    regressors = 0 if scan.confounds is None else scan.confounds.shape[1]
    seconds, start = uncensored * scan.tr, scan.measures.get("start", 0.0)
    return {
        "repetition_time": scan.tr,
        "start": start + (_first_volume(scan) * scan.tr if uncensored else 0.0),
        "seconds": seconds,
        "dof": 2 * seconds * (settings.low_pass - settings.high_pass) - regressors,
        "censored": 1 - uncensored / volumes,
        "coverage": float(covered_C.mean()),
    }


def _first_volume(scan: RegionalMeans) -> int:
    return 0 if scan.sample_mask is None else int(scan.sample_mask[0])


def _require_filterable(
    scan: RegionalMeans, measures: dict[str, float], settings: Parcellation
) -> None:
    if len(scan.means_TC) * (1 - measures["censored"]) < MIN_VOLUMES:
        raise ScanError(f"fewer than {MIN_VOLUMES} volumes, too few to filter", measures)
    # The configuration checks the band against the target TR, but does not know the scan's TR.
    nyquist = 1 / (2 * scan.tr)
    if settings.low_pass >= nyquist:
        raise ScanError(
            f"a TR of {scan.tr:g} s resolves frequencies up to {nyquist:.3f} Hz, but the band-pass "
            f"ends at {settings.low_pass:g} Hz",
            measures,
        )


def _uncensored(scan: RegionalMeans) -> np.ndarray:
    return scan.means_TC if scan.sample_mask is None else scan.means_TC[scan.sample_mask]


def _were_standardised(means_TC: np.ndarray) -> bool:
    """Whether all regions have variance one, with n or n − 1 in the denominator."""
    near_one = [
        np.allclose(means_TC.std(axis=0, ddof=ddof), 1, rtol=0, atol=1e-3) for ddof in (0, 1)
    ]
    return means_TC.shape[1] >= MIN_REGIONS and any(near_one)


def _covered_regions(scan: RegionalMeans) -> np.ndarray:
    """Return which regions have data; refuse volumes without any data.

    A region has data if it is known in every volume and changes over those that are not censored.
    """
    finite_TC = np.isfinite(scan.means_TC)
    if not finite_TC.any():
        raise ScanError("no region of the atlas has data")
    _require_data_in_volumes(~finite_TC.any(axis=1))
    # A single NaN would spread over the whole region in the filter.
    covered_C = np.asarray(finite_TC.all(axis=0))
    if not covered_C.any():
        raise ScanError("every region of the atlas lacks data in some volume")
    uncensored_TC = _uncensored(scan)
    if not len(uncensored_TC):
        raise ScanError("all volumes are censored")
    covered_C[covered_C] = changes_over_time(uncensored_TC[:, covered_C])
    if not covered_C.any():
        raise ScanError("no region changes over time")
    _require_data_in_volumes(_are_empty(uncensored_TC[:, covered_C]))
    return covered_C


def _require_data_in_volumes(is_empty_T: np.ndarray) -> None:
    if is_empty_T.any():
        raise ScanError(
            f"{is_empty_T.sum()} of {len(is_empty_T)} volumes have no data in any region, first "
            f"volume {np.flatnonzero(is_empty_T)[0] + 1}"
        )


def _are_empty(means_TC: np.ndarray) -> np.ndarray:
    """Return which volumes have the same value everywhere, such as 0 after an aborted scan."""
    if means_TC.shape[1] < MIN_REGIONS:
        return np.asarray(~means_TC.any(axis=1))
    # Zero may have been scaled to another value, which scaling rounds.
    rounding = np.finfo(np.float32).eps * np.abs(means_TC).max()
    return np.asarray(np.ptp(means_TC, axis=1) <= rounding)


def changes_over_time(means_TC: np.ndarray) -> np.ndarray:
    """Return which regions change by more than rounding.

    Software that demeans or filters turns a constant region into rounding errors. The filter and
    the z-score would make a signal of them.

    Parameters
    ----------
    means_TC : ndarray, shape (volumes, regions)
        Finite.
    """
    deviation_C = means_TC.std(axis=0)
    # Rounding to float32, in which other software computes: relative to the values of the region
    # and, as its mean may have been removed since, to the region that changes most.
    scale_C = np.maximum(np.abs(means_TC).max(axis=0), deviation_C.max())
    return np.asarray(deviation_C > np.finfo(np.float32).eps * scale_C)
