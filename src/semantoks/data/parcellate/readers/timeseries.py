"""Reader of regional time series that other software made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import SCAN_ENTITIES, find_measures, find_scan
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.declared import require_plausible_parquet
from semantoks.data.hdf5 import is_hdf5
from semantoks.data.index.shards import DerivativeScan
from semantoks.data.layout import PARCELLATED
from semantoks.data.parcellate.images.cifti import parcellated_series
from semantoks.data.parcellate.readers.arrays import read_hdf5, read_numpy, volumes_first
from semantoks.data.parcellate.readers.matlab import read_matlab
from semantoks.data.parcellate.readers.region_order import (
    align,
    count_columns,
    label_header,
    require_orientation,
)
from semantoks.data.parcellate.readers.sidecar import repetition_time
from semantoks.data.parcellate.readers.text import SEPARATORS, read_text
from semantoks.data.parcellate.readers.xcpd import restore_censored
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.errors import ScanError, UserError
from semantoks.gate import problem_of_file, require_file

# What the time series of our own files cannot show again: where they begin, motion and images.
KEPT_MEASURES = ("start", "mean_fd", "tsnr", "dvars", "dice", "correlation")
CONSTANT = 1e-6  # range relative to the largest value; float32 keeps 7 digits


@dataclass(frozen=True)
class TimeseriesReader:
    """Read time series from text tables, arrays, MATLAB files, HDF5 or our Parquet files.

    Attributes
    ----------
    folder : Path
        The data set; a file if it is HDF5.
    atlas : Atlas
    names : list of str or None
        Regions of files that do not name their columns, in order.
    variable : str or None
        Which variable of a MATLAB file to read, if several could be the time series.
    confounds : str
        Time series come denoised; there are no confounds to regress out.
    """

    folder: Path
    atlas: Atlas
    names: list[str] | None = None
    variable: str | None = None
    confounds: str = "as given"

    def read(self, scan: DerivativeScan) -> RegionalMeans:
        """Read the scan's time series; see `ScanReader`."""
        file = self.folder if self.folder.is_file() else self.folder / scan.file
        means = read_timeseries(
            file, scan.scan, self.atlas, scan.repetition_time, self.names, self.variable
        )
        return restore_censored(means, file)


@dataclass(frozen=True)
class _Table:
    """What a file holds: volumes × columns, and what it states about them."""

    values_TC: np.ndarray
    header: list[str] | None
    repetition_time: float | None = None


def read_timeseries(
    path: Path,
    scan: str,
    atlas: Atlas,
    tr: float,
    names: Sequence[str] | None,
    variable: str | None = None,
) -> RegionalMeans:
    """Read the time series of a scan and put its columns in the order of the atlas.

    Parameters
    ----------
    path : Path
        ``.tsv``, ``.csv``, ``.1D`` or ``.txt`` with or without a header of region names or labels;
        ``.npy`` or ``.mat`` (volumes × regions, or transposed); ``.ptseries.nii`` (CIFTI); HDF5 of
        the reference implementation; or a Parquet file of Semantoks.
    scan : str
        Which scan to read from a file with several.
    atlas : Atlas
        Regions that the file lacks are NaN; regions that the atlas lacks are dropped.
    tr : float
        Repetition time in seconds of a file that does not state it; NaN if there is none.
    names : sequence of str, optional
        Regions of a file that does not name its columns, in order. Default: the atlas's.
    variable : str, optional
        Which variable of a MATLAB file to read.

    Returns
    -------
    RegionalMeans
        A region that is constant throughout is NaN, like one without data.

    Raises
    ------
    ScanError
        When the file cannot be read, or its regions are not those of the atlas.
    """
    if path.suffix == ".parquet":
        return _read_parquet(path, scan, atlas)
    table = _read_table(path, scan, atlas, len(names or atlas.regions), variable)
    header = table.header
    # CIFTI and the reference implementation's HDF5 say which axis is time.
    if names is None and not is_hdf5(path) and not path.name.endswith(PARCELLATED):
        require_orientation(table.values_TC, header, path.name)
    # Numbers that only count the columns are no names, so the configured ones are meant.
    if header is None or (names and len(names) == len(header) and count_columns(header)):
        columns = names
    else:
        columns = header
    means_TC = align(table.values_TC, columns, atlas, path.name)
    seconds = repetition_time(path, tr, table.repetition_time)
    return RegionalMeans(without_constants(means_TC, path.name), seconds)


def _read_table(path: Path, scan: str, atlas: Atlas, regions: int, variable: str | None) -> _Table:
    """Read a file by its type; `regions` is how many are expected."""
    suffix, stated = path.suffix.lower(), None
    if path.name.endswith(PARCELLATED):
        return _Table(*parcellated_series(path))
    if is_hdf5(path):
        values_TC = read_hdf5(path, scan, atlas)
    elif suffix == ".npy":
        values_TC = volumes_first(read_numpy(path), regions, path.name)
    elif suffix == ".mat":
        values, stated = read_matlab(path, variable)
        values_TC = volumes_first(values, regions, path.name)
    else:
        return _Table(*read_text(path, atlas))
    # A header of numbers that was read as an array has become its first row.
    header = label_header(values_TC[0], atlas) if len(values_TC) else None
    return _Table(values_TC if header is None else values_TC[1:], header, stated)


def _read_parquet(path: Path, scan: str, atlas: Atlas) -> RegionalMeans:
    """Read a scan of a file of ours, with what was measured when it was made."""
    require_plausible_parquet(require_file(path), (*SCAN_ENTITIES, "timeseries"))
    content, manifest = find_scan(path, scan)
    if content is None:
        raise ScanError(f"{path.name} has no time series of this scan: it was excluded there")
    signals_CT = content.timeseries_CT.astype(float)
    if content.amplitude_C is not None:
        signals_CT *= np.exp(content.amplitude_C)[:, None]  # back to the unit before the z-score
    means_TC = align(signals_CT.T, manifest.labels, atlas, path.name)
    return RegionalMeans(
        without_constants(means_TC, path.name),
        manifest.tr,
        manifest.space,
        measures=find_measures(path, scan, KEPT_MEASURES),
    )


def without_constants(means_TC: np.ndarray, source: str) -> np.ndarray:
    """Return time series with NaN for regions that do not change, which have no data.

    Parameters
    ----------
    means_TC : ndarray, shape (volumes, regions)
    source : str
        File name, for messages.

    Raises
    ------
    ScanError
        When no region changes, or volumes are 0 in every region.
    """
    finite_TC = np.isfinite(means_TC)
    if not finite_TC.any():
        raise ScanError("no region of the atlas has data")
    highest_C = np.where(finite_TC, means_TC, -np.inf).max(axis=0)
    lowest_C = np.where(finite_TC, means_TC, np.inf).min(axis=0)
    level_C = np.where(finite_TC, abs(means_TC), 0).max(axis=0)
    # A constant that was demeaned is rounding error, so the other regions are the measure.
    typical = np.median(level_C[level_C > 0]) if level_C.any() else 0.0
    changes_C = highest_C - lowest_C > CONSTANT * np.maximum(level_C, typical)
    if not changes_C.any():
        raise ScanError("no region changes over time")
    # Fill-in of censored volumes or of the end; regions that change are never all 0 at once.
    filled = int((means_TC[:, changes_C] == 0).all(axis=1).sum())
    if filled and changes_C.sum() > 1:
        raise ScanError(
            f"{filled} of {len(means_TC)} volumes of {source} are 0 in every region; time series "
            "without gaps are needed, and without padding"
        )
    marked_TC = means_TC.copy()
    marked_TC[:, ~changes_C] = np.nan
    return marked_TC


def read_region_names(path: Path) -> list[str]:
    """Read the regions of time series that do not name their columns.

    Parameters
    ----------
    path : Path
        ``.tsv`` or ``.csv`` with a column ``name``, or text with one region per line.

    Raises
    ------
    UserError
        When there is no such file, or its columns do not have this name.
    """
    if problem := problem_of_file(path):
        raise UserError(
            f"{path}: {problem}. `regions` of a data set names a table whose column `name` lists "
            "the regions of its time series in order."
        )
    if path.suffix in SEPARATORS:
        separator = SEPARATORS[path.suffix]
        # utf-8-sig: Excel puts a byte order mark before the name of the first column.
        table = pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        if "name" in table:
            return [str(name).strip() for name in table["name"]]
        if len(table.columns) > 1:
            raise UserError(
                f"{path} has no column `name` (columns: {', '.join(table)}). `regions` of a data "
                "set names a table whose column `name` lists the regions of its time series in "
                "order."
            )
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return [line.strip() for line in lines if line.strip()]
