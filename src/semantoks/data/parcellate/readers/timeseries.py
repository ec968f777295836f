"""Reader of regional time series that other software made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.timeseries import find_scan
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.hdf5 import is_hdf5
from semantoks.data.index.shards import DerivativeScan
from semantoks.data.parcellate.readers.arrays import read_hdf5, read_numpy
from semantoks.data.parcellate.readers.region_order import align
from semantoks.data.parcellate.readers.sidecar import read_sidecar
from semantoks.data.parcellate.readers.text import SEPARATORS, read_text
from semantoks.data.parcellate.readers.xcpd import restore_censored
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.signals import require_repetition_time
from semantoks.errors import ScanError, UserError


@dataclass(frozen=True)
class TimeseriesReader:
    """Read time series from text tables, arrays, HDF5 or our Parquet files.

    Attributes
    ----------
    folder : Path
        The data set; a file if it is HDF5.
    atlas : Atlas
    names : list of str or None
        Regions of files that do not name their columns, in order.
    confounds : str
        Time series come denoised; there are no confounds to regress out.
    """

    folder: Path
    atlas: Atlas
    names: list[str] | None = None
    confounds: str = "as given"

    def read(self, scan: DerivativeScan) -> RegionalMeans:
        """Read the scan's time series; see `ScanReader`."""
        file = self.folder if self.folder.is_file() else self.folder / scan.file
        means = read_timeseries(file, scan.scan, self.atlas, scan.repetition_time, self.names)
        return restore_censored(means, file)


def read_timeseries(
    path: Path, scan: str, atlas: Atlas, tr: float, names: Sequence[str] | None
) -> RegionalMeans:
    """Read the time series of a scan and put its columns in the order of the atlas.

    Parameters
    ----------
    path : Path
        ``.tsv``, ``.csv``, ``.1D`` or ``.txt`` with or without a header of region names or labels;
        ``.npy`` (volumes × regions, or transposed); HDF5 of the reference implementation; or a
        Parquet file of Semantoks.
    scan : str
        Which scan to read from a file with several.
    atlas : Atlas
        Regions that the file lacks are NaN; regions that the atlas lacks are dropped.
    tr : float
        Repetition time in seconds; NaN to read it from the sidecar.
    names : sequence of str, optional
        Regions of a file that does not name its columns, in order. Default: the atlas's.

    Returns
    -------
    RegionalMeans

    Raises
    ------
    ScanError
        When the file cannot be read, or its regions are not those of the atlas.
    """
    if path.suffix == ".parquet":
        return _read_parquet(path, scan, atlas)
    if is_hdf5(path) or path.suffix == ".npy":
        array = read_hdf5(path, scan, atlas) if is_hdf5(path) else read_numpy(path)
        values_TC = _volumes_first(array, len(names or atlas.regions), path)
    else:
        values_TC, header = read_text(path, atlas)
        names = names if header is None else header
    means_TC = align(values_TC, names, atlas, path.name)
    seconds = require_repetition_time(_repetition_time(tr, path), f"the sidecar of {path.name}")
    return RegionalMeans(means_TC, seconds)


def _read_parquet(path: Path, scan: str, atlas: Atlas) -> RegionalMeans:
    content, manifest = find_scan(path, scan)
    if content is None:
        raise ScanError(f"{path.name} has no time series of this scan: it was excluded there")
    means_TC = align(content.timeseries_CT.T.astype(float), manifest.labels, atlas, path.name)
    return RegionalMeans(means_TC, manifest.tr, manifest.space)


def _volumes_first(values: np.ndarray, regions: int, path: Path) -> np.ndarray:
    """Transpose an array whose first axis has the regions."""
    if values.ndim == 2 and values.shape[0] == values.shape[1]:
        raise ScanError(f"{path.name} is square, so volumes and regions cannot be told apart")
    transposed = values.ndim == 2 and values.shape[1] != regions and values.shape[0] == regions
    return values.T if transposed else values


def _repetition_time(tr: float, path: Path) -> Any:
    if not math.isnan(tr):
        return tr
    sidecar = read_sidecar(path)
    if "RepetitionTime" not in sidecar and sidecar.get("SamplingFrequency"):
        return 1 / float(sidecar["SamplingFrequency"])  # XCP-D writes the frequency in Hz
    return sidecar.get("RepetitionTime")


def read_region_names(path: Path) -> list[str]:
    """Read the regions of time series that do not name their columns.

    Parameters
    ----------
    path : Path
        ``.tsv`` or ``.csv`` with a column ``name``, or text with one region per line.

    Raises
    ------
    UserError
        When there is no such file.
    """
    if not path.exists():
        raise UserError(
            f"There is no {path}. `regions` of a data set names a table whose column `name` lists "
            "the regions of its time series in order."
        )
    if path.suffix in (".tsv", ".csv"):
        table = pd.read_csv(path, sep=SEPARATORS[path.suffix], dtype=str, keep_default_na=False)
        if "name" in table:
            return [str(name) for name in table["name"]]
    return path.read_text(encoding="utf-8").splitlines()
