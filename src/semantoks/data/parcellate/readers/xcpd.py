"""Put volumes that XCP-D has removed back in their places.

In its modes for censored output, XCP-D leaves high-motion volumes out of tables and images, so
that what follows in the file does not follow in time. ``*_outliers.tsv`` has a row for each volume
of the run: 1 if it is an outlier, else 0.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.data.layout import beside, is_xcpd, scan_of
from semantoks.data.parcellate.readers.sidecar import read_sidecar
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.errors import ScanError
from semantoks.gate import require_file

OUTLIERS = "framewise_displacement"


def restore_censored(scan: RegionalMeans, path: Path) -> RegionalMeans:
    """Mark the outliers of a run as censored, and put them back where they were removed.

    Parameters
    ----------
    scan : RegionalMeans
        As read.
    path : Path
        Where from: a table or an image. ``*_outliers.tsv`` of the run lies beside it, or the file
        is not XCP-D's.

    Returns
    -------
    RegionalMeans
        With a row for every volume and the `sample_mask` of the others. Cleaning interpolates the
        outliers; the values in their rows are not used.

    Raises
    ------
    ScanError
        When the file has neither all volumes nor those that are not outliers, or when it is not
        known which were removed.
    """
    file = beside(path, f"{scan_of(path.name)}_outliers.tsv")
    if not file.exists():
        _require_every_volume(len(scan.means_TC), path, file)
        return scan
    is_outlier_T = _read_outliers(file)
    uncensored, volumes = np.flatnonzero(~is_outlier_T), len(scan.means_TC)
    if volumes not in (len(is_outlier_T), len(uncensored)):
        raise ScanError(
            f"{path.name} has {volumes} volumes, {file.name} has {len(is_outlier_T)}, of which "
            f"{len(uncensored)} are not outliers; either number was expected"
        )
    if not is_outlier_T.any():
        return scan
    means_TC = scan.means_TC
    if volumes < len(is_outlier_T):
        every_volume = np.arange(len(is_outlier_T))
        # Anything finite would do: NaN means that there are no data.
        columns = [np.interp(every_volume, uncensored, column) for column in means_TC.T]
        means_TC = np.stack(columns, axis=1)
    return replace(scan, means_TC=means_TC, sample_mask=uncensored)


def _read_outliers(file: Path) -> np.ndarray:
    """Return which volumes are outliers; refuse a table that does not say it by 0 and 1."""
    try:
        table = pd.read_csv(require_file(file), sep="\t")
    except (OSError, ValueError) as error:
        raise ScanError(f"{file.name} cannot be read ({error})") from error
    # Versions that also censor down to an exact time have further columns for this.
    if OUTLIERS not in table or not table[OUTLIERS].isin([0, 1]).all():
        raise ScanError(f"{file.name} has no column {OUTLIERS} of 0 (kept) and 1 (outlier)")
    return table[OUTLIERS].to_numpy() == 1


def _require_every_volume(volumes: int, path: Path, outliers: Path) -> None:
    """Refuse a file from which volumes were removed, or of XCP-D where this is not known."""
    motion = beside(outliers, outliers.name.replace("_outliers.tsv", "_motion.tsv"))
    # XCP-D without censoring writes no table of outliers, but always one of motion.
    if motion.exists():
        expected = len(pd.read_csv(require_file(motion), sep="\t"))
        removed = volumes != expected
        reason = f"it has {volumes} volumes, {motion.name} {expected}"
    else:
        removed = _names_outliers(path) or is_xcpd(path)
        reason = "XCP-D may have removed volumes"
    if removed:
        raise ScanError(
            f"{reason}, and {outliers.name}, which says where, is not beside {path.name}"
        )


def _names_outliers(path: Path) -> bool:
    """Whether the sidecar names a table of outliers among the sources."""
    return "_outliers.tsv" in str(read_sidecar(path).get("Sources", ""))
