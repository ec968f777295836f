"""What every reader returns for a scan."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class RegionalMeans:
    """Regional means of one scan before cleaning, with the confounds to clean them of.

    Attributes
    ----------
    means_TC : ndarray, shape (volumes, regions)
        NaN where a region has no data.
    tr : float
        Repetition time in seconds.
    space : str
        Template space of the images; empty if unknown.
    confounds : DataFrame or None, shape (volumes, n)
        Regressors to remove.
    sample_mask : ndarray of int or None
        Indices of the volumes that are not censored; None for all.
    measures : dict of str to float
        Quality measures that the reader knows: ``mean_fd`` (mm), ``tsnr``, ``dvars`` (%), ``dice``,
        ``correlation``; and ``start``, the time (s) from the first volume of the scan to the first
        one of the means, if others were dropped.
    """

    means_TC: np.ndarray
    tr: float
    space: str = ""
    confounds: pd.DataFrame | None = None
    sample_mask: np.ndarray | None = None
    measures: dict[str, float] = field(default_factory=dict)
