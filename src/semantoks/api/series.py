"""Arrays and tables of time series, made into what a model reads by the code of the workflow."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from semantoks.artifacts.timeseries import Manifest, Scan
from semantoks.artifacts.zscores import zscore
from semantoks.config import Parcellation
from semantoks.data.parcellate.cleaning import clean_scan
from semantoks.data.parcellate.quality import require_quality
from semantoks.data.parcellate.readers.region_order import count_columns
from semantoks.data.parcellate.readers.timeseries import without_constants
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.signals import require_repetition_time, resample_time
from semantoks.errors import ScanError, UserError, shown

log = logging.getLogger(__name__)
MIN_KNOWN = 0.5  # fraction of the given regions that the model must have; fewer is another atlas
MIN_DOF = 1.0  # of what confounds and band-pass leave, with less there is nothing to embed
WITHOUT_LIMITS = {
    "min_seconds": 0.0,
    "min_dof": MIN_DOF,
    "min_scan_coverage": 0.0,
    "max_mean_fd": 1e9,
    "max_censored": 1.0,
}


def parcellation_of(manifest: Manifest | None, **changes: object) -> Parcellation:
    """Return the settings that time series of a model are made with, without limits of quality.

    Parameters
    ----------
    manifest : Manifest or None
        None of a reference checkpoint, for which the defaults are those of the paper.
    **changes
        Other fields of `Parcellation`.
    """
    values: dict[str, object] = {}
    if manifest is not None:
        values = {"repetition_time": manifest.tr, "high_pass": manifest.high_pass or 0.0}
        values |= {} if manifest.low_pass is None else {"low_pass": manifest.low_pass}
    return Parcellation.model_validate(values | WITHOUT_LIMITS | changes)


@contextmanager
def as_user_error(what: str) -> Iterator[None]:
    """Turn the reason of a scan that cannot be used into a sentence for the user."""
    try:
        yield
    except ScanError as error:
        raise UserError(f"{what} cannot be embedded: {error}.") from error


def scan_of_series(
    series: np.ndarray | pd.DataFrame,
    manifest: Manifest | None,
    count: int,
    *,
    regions: Sequence[str] | None,
    repetition_time: float | None,
    filtered: bool,
) -> Scan:
    """Make a scan of regional time series, as `parcellate` does.

    Parameters
    ----------
    series : ndarray, shape (regions, volumes), or DataFrame, shape (volumes, regions)
        The columns of a table are names of regions.
    manifest : Manifest or None
        Of the model.
    count : int
        Number of regions of the model.
    regions : sequence of str or None
        Names of the rows of an array (default: those of the model, in order), or of the columns of
        a table that only counts them.
    repetition_time : float or None
        Seconds.
    filtered : bool
        The series are cleaned and band-passed already.

    Raises
    ------
    UserError
    """
    if repetition_time is None:
        raise UserError(
            "The time series do not state their TR, which is needed to resample them to that of "
            "the model. Give `repetition_time` in seconds, such as repetition_time=2.0."
        )
    means_TC = _in_order(series, manifest, count, regions)
    settings = parcellation_of(manifest)
    is_filtered = filtered or (manifest is not None and manifest.low_pass is None)
    with as_user_error("The scan"):
        tr = require_repetition_time(repetition_time, "`repetition_time`")
        means = RegionalMeans(without_constants(means_TC, "the scan"), tr)
        if is_filtered:
            timeseries_CT, amplitude_C = _standardised(means, settings.repetition_time), None
        else:
            timeseries_CT, measures, amplitude_C = clean_scan(means, settings)
            warn_of_quality("The scan", measures)
    return Scan("", "", "", "", "", settings.repetition_time, timeseries_CT, amplitude_C)


def warn_of_quality(what: str, measures: dict[str, float]) -> None:
    """Say where the workflow would leave a scan out by its default thresholds."""
    try:
        require_quality(measures, Parcellation())
    except ScanError as error:
        log.warning("%s is embedded, but the workflow would exclude it: %s.", what, error)


def _standardised(means: RegionalMeans, target_tr: float) -> np.ndarray:
    """Resample and z-score; a region with a NaN is NaN throughout."""
    known_C = np.isfinite(means.means_TC).all(axis=0)
    if not known_C.any():
        raise ScanError("every region of the atlas lacks data in some volume")
    resampled_TC = means.means_TC[:, known_C]
    if len(resampled_TC) > 1:
        resampled_TC = resample_time(resampled_TC, means.tr, target_tr)
    timeseries_CT = np.full((len(known_C), len(resampled_TC)), np.nan, np.float32)
    timeseries_CT[known_C] = zscore(resampled_TC.T)
    return timeseries_CT


def _in_order(
    series: np.ndarray | pd.DataFrame,
    manifest: Manifest | None,
    count: int,
    regions: Sequence[str] | None,
) -> np.ndarray:
    """Return volumes × regions of the model."""
    names = None if regions is None else [str(name) for name in regions]
    if isinstance(series, pd.DataFrame):
        names = _names_of(series, names)
        texts = [name for name in series if not is_numeric_dtype(series[name])]
        if texts:
            raise UserError(
                f"The column '{shown(str(texts[0]))}' of the time series holds no numbers. Leave "
                "it out; a column per region is expected."
            )
        values_TC = series.to_numpy(float)
    else:
        values_TC = _as_array(series).T
    values_TC = np.where(np.isfinite(values_TC), values_TC, np.nan)
    if values_TC.ndim != 2 or not len(values_TC):
        raise UserError(
            f"An array of time series has the shape {values_TC.T.shape}, expected (regions, "
            "volumes). Embed one scan at a time."
        )
    expected = count if names is None else len(names)
    if values_TC.shape[1] != expected:
        whose = "The model expects" if names is None else "`regions` names"
        raise UserError(
            f"{whose} {expected} regions, but the time series have {values_TC.shape[1]}. An array "
            "must be (regions, volumes), in the order of `manifest.labels` or of `regions`; a "
            "table has a column per region."
        )
    gaps = int(np.isnan(values_TC).any(axis=0).sum())
    if gaps:
        log.warning(
            "%d of %d regions have NaN or infinite values and count as not covered.", gaps, expected
        )
    return values_TC if names is None else _matched(values_TC, names, manifest)


def _names_of(series: pd.DataFrame, regions: list[str] | None) -> list[str]:
    """Return the regions of a table: its columns, or `regions` if these only count.

    Raises
    ------
    UserError
        When the two differ: either order may be the right one.
    """
    columns = [str(name) for name in series.columns]
    if regions is None or columns == regions:
        return columns
    if not count_columns(columns):
        raise UserError(
            f"`regions` ({_some(regions)}) are not the columns of the table of time series "
            f"({_some(columns)}). Leave `regions` out if the columns are right; else rename them."
        )
    return regions


def _as_array(series: object) -> np.ndarray:
    """Return an array of numbers.

    Raises
    ------
    UserError
        When these are texts, or several scans of different length.
    """
    try:
        values = np.asarray(series)
    except ValueError:
        values = np.empty(0, object)
    if values.dtype.kind not in "fiub":
        raise UserError(
            f"The time series are of the type {type(series).__name__} and no array of numbers "
            "(regions, volumes). Embed one scan at a time; `Embedder` takes a list of scans."
        )
    return values.astype(float)


def _matched(values_TC: np.ndarray, names: Sequence[str], manifest: Manifest | None) -> np.ndarray:
    """Put named columns into the order of the model; regions that are not there are NaN."""
    if manifest is None:
        raise UserError(
            "The model is a reference checkpoint, which does not name its regions, so columns "
            "cannot be matched by name. Give an array (regions, volumes) in its order."
        )
    position = {label: index for index, label in enumerate(manifest.labels)}
    columns = [index for index, name in enumerate(names) if name in position]
    unknown = [name for name in names if name not in position]
    if len(set(names)) < len(names) or len(columns) < MIN_KNOWN * len(names):
        example = unknown[0] if unknown else max(names, key=list(names).count)
        problem = "is no region of it" if unknown else "is there twice"
        raise UserError(
            f"{len(columns)} of {len(names)} regions are those of the model's atlas "
            f"{manifest.atlas}; '{shown(example)}' {problem}. Name the regions as in "
            f"`manifest.labels` ('{manifest.labels[0]}', …)."
        )
    aligned_TC = np.full((len(values_TC), len(position)), np.nan)
    aligned_TC[:, [position[names[index]] for index in columns]] = values_TC[:, columns]
    absent = [label for label in manifest.labels if label not in set(names)]
    _say(absent, "%d of %d regions of the model are missing and count as not covered: %s", position)
    _say(unknown, "%d of %d regions are left out, which the model does not have: %s", names)
    return aligned_TC


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(shown, names[:5])) + (", …" if len(names) > 5 else "")


def _say(names: Sequence[str], sentence: str, of: object) -> None:
    if names:
        log.warning(sentence, len(names), len(of), _some(names))  # type: ignore[arg-type]
