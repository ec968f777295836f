"""What the headers of raw images say: orientation, size and repetition time."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semantoks.data.signals import MAX_TR
from semantoks.data.stacks import load_image

log = logging.getLogger(__name__)
SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
MIN_TR = 0.1  # s; no sequence that covers a brain is faster
TOLERANCE = 0.01  # of the TR; headers are often rounded
SLAB = 100.0  # mm; the head of a newborn is longer than this on every axis


@dataclass(frozen=True)
class Header:
    """Header of an image; the defaults stand for an image that cannot be read.

    Attributes
    ----------
    is_oriented : bool
        Whether qform or sform is set.
    extent : float
        Shortest edge of the field of view in mm; NaN if unknown.
    repetition_time : float
        Seconds; see `nifti_tr`.
    """

    is_oriented: bool = True
    extent: float = math.nan
    repetition_time: float = math.nan

    @classmethod
    def of(cls, path: Path) -> Header:
        """Read a header; what is wrong with an unreadable image is found when it is used."""
        try:
            image: Any = load_image(path)
            codes = [image.header.get(key, 1) for key in ("qform_code", "sform_code")]
            sizes = np.linalg.norm(image.affine[:3, :3], axis=0)
            extent = float(np.min(sizes * image.shape[:3]))
            return cls(any(codes), extent, nifti_tr(image.header))
        except Exception:  # nibabel raises many types of errors on malformed headers
            return cls()


def nifti_tr(header: Any) -> float:
    """Return the TR (s) that a NIfTI header states; NaN if it has no unit or is not plausible.

    The unit is in the field ``xyzt_units``, see nifti.nimh.nih.gov/nifti-1. Software that knows no
    TR leaves it out.
    """
    zooms, unit = header.get_zooms(), header.get_xyzt_units()[1]
    tr = float(zooms[3]) * SECONDS.get(unit, math.nan) if len(zooms) > 3 else math.nan
    return tr if MIN_TR <= tr <= MAX_TR else math.nan


def warn_of_other_tr(scans: pd.DataFrame, bids: Path) -> None:
    """Say which runs have another TR in their header than the one that is used.

    Parameters
    ----------
    scans : DataFrame
        With ``bold``, ``repetition_time`` and ``problem``.
    bids : Path
    """
    usable = scans[(scans["problem"] == "") & scans["repetition_time"].notna()]
    headers = [Header.of(bids / name).repetition_time for name in usable["bold"]]
    usable = usable.assign(header=headers)
    difference = (usable["header"] - usable["repetition_time"]).abs()
    other = usable[difference > TOLERANCE * usable["repetition_time"]]
    if len(other):
        first = other.iloc[0]
        log.warning(
            "%d of %d runs have another TR in the header of the image than in the sidecars or "
            "`repetition_time`, which are used (%s: %g s in the header, %g s used). Check which is "
            "right.",
            *(len(other), len(scans), first["scan"], first["header"], first["repetition_time"]),
        )
