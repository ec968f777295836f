"""What every source gives for a scan: regional means as they come, and what to clean them with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.artifacts.files import read_json
from semantoks.errors import ScanError, UserError


@dataclass(frozen=True)
class Run:
    """One scan before cleaning.

    Attributes
    ----------
    means_TC : ndarray, shape (volumes, regions)
        Regional means; NaN where a region has no data.
    tr : float
        Repetition time in seconds.
    space : str
        Template of the images, empty where unknown.
    confounds : DataFrame or None, shape (volumes, n)
        What is regressed out.
    kept : ndarray of int or None
        Volumes that are not censored.
    measures : dict of str to float
        Quality as far as it is known: ``mean_fd`` (mm), ``tsnr``, ``dvars`` (%), ``dice``.
    """

    means_TC: np.ndarray
    tr: float
    space: str = ""
    confounds: pd.DataFrame | None = None
    kept: np.ndarray | None = None
    measures: dict[str, float] = field(default_factory=dict)


def sidecar(path: Path) -> dict[str, Any]:
    """Read the JSON file beside an image or a table.

    Raises
    ------
    ScanError
        When there is none, or it is broken.
    """
    stem = path.name
    for suffix in (".gz", ".nii", ".dtseries", ".tsv", ".csv", ".npy", ".1D", ".txt"):
        stem = stem.removesuffix(suffix)
    file = path.with_name(f"{stem}.json")
    if not file.exists() and path.name.endswith(".dtseries.nii"):
        file = path.with_name(f"{stem}.dtseries.json")
    if not file.exists():
        raise ScanError(f"there is no {file.name} beside {path.name}")
    try:
        content = read_json(file)
    except UserError as error:
        raise ScanError(f"{file.name} is not readable JSON") from error
    return content if isinstance(content, dict) else {}
