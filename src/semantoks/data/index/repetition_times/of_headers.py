"""The repetition time (TR) in the headers of images, where nothing else states one."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.data.index.bids_files import BidsFile
from semantoks.data.index.inheritance import Inheritance
from semantoks.data.index.raw.headers import Header
from semantoks.data.layout import dataset_of
from semantoks.errors import ScanError

log = logging.getLogger(__name__)
VOLUMES, CIFTI = (".nii", ".nii.gz"), (".dtseries.nii", ".ptseries.nii")
# ITK (ANTs), FSL and AFNI write 1 s, with its unit, where they do not know the TR.
MADE_UP = 1.0  # s


def with_header_tr(scans: pd.DataFrame, column: str, data: Path) -> pd.DataFrame:
    """Fill in what headers of images state where nothing else does, and say for how many scans.

    Parameters
    ----------
    scans : DataFrame
        With ``scan``, ``repetition_time`` and ``problem``.
    column : str
        Column with the images, relative to `data`: ``bold`` of raw ones, whose sidecars have been
        read, or ``file``.
    data : Path

    Returns
    -------
    DataFrame
        A TR of exactly 1 s is not taken.
    """
    unknown = scans.loc[(scans["problem"] == "") & scans["repetition_time"].isna(), column]
    sidecars = _Sidecars(data)
    trs = {
        row: Header.of(data / name).repetition_time
        for row, name in unknown.items()
        if name.endswith(VOLUMES)
        and not name.endswith(CIFTI)
        and (column == "bold" or not sidecars.state_tr(name))
    }
    usable = {row: tr for row, tr in trs.items() if tr > 0 and not np.isclose(tr, MADE_UP)}
    if usable:
        row, tr = next(iter(usable.items()))
        log.warning(
            "%d of %d scans have no TR in a sidecar or by `repetition_time`, so the one in the "
            "header of the image is used (%s: %g s). If it is wrong, set `repetition_time` of the "
            "data set.",
            *(len(usable), len(scans), scans["scan"][row], tr),
        )
    filled = scans["repetition_time"].fillna(pd.Series(usable, dtype=float))
    return scans.assign(repetition_time=filled)


@dataclass(frozen=True)
class _Sidecars:
    """Sidecars of derivatives, which may belong to several data sets below a folder."""

    data: Path
    _data_sets: dict[Path, Inheritance] = field(default_factory=dict)

    def state_tr(self, name: str) -> bool:
        """Whether those of a file state a TR, or are broken, which is its reason later."""
        path = self.data / name
        root = dataset_of(path)
        keys = ("RepetitionTime", "SamplingFrequency")
        data_set = self._data_sets.setdefault(root, Inheritance(root, keys))
        try:
            stated = data_set.of(BidsFile.of(path.relative_to(root).as_posix()))
        except ScanError:
            return True
        return any(isinstance(value, int | float) for value, _ in stated.values())
