"""The repetition time of images: which of sidecar, header and configuration decides."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from semantoks.data.parcellate.images.cifti import header_tr, is_dense
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.parcellate.readers.sidecar import repetition_time
from semantoks.data.signals import MAX_TR

log = logging.getLogger(__name__)
TOLERANCE = 0.01  # relative; less is rounding, and shifts a scan by less than its length / 100
SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def image_repetition_time(bold: Path, configured: float) -> float:
    """Return the repetition time (s) of an image.

    The sidecar decides, then the header of a CIFTI file, then the configuration. The header of a
    NIfTI file does not: many tools leave it at a default. If it states another time, or the
    configuration does, the log says so.

    Parameters
    ----------
    bold : Path
    configured : float
        NaN if there is none.

    Raises
    ------
    ScanError
        When there is none, it is not plausible, or sidecar and CIFTI header differ.
    """
    dense = is_dense(bold)
    tr = repetition_time(bold, configured, header_tr(bold) if dense else None)
    others = {"`repetition_time` of the data set": configured}
    if not dense:
        others["its header"] = nifti_header_tr(bold)
    for source, seconds in others.items():
        if 0 < seconds <= MAX_TR and not math.isclose(seconds, tr, rel_tol=TOLERANCE):
            log.warning("%s: a TR of %g s is used; %s states %g s", bold.name, tr, source, seconds)
    return tr


def nifti_header_tr(bold: Path) -> float:
    """Return the TR (s) in the header of a NIfTI file; NaN if it is not set, or has no unit."""
    header = open_image(bold).header
    zooms, (_, unit) = header.get_zooms(), header.get_xyzt_units()
    seconds = float(zooms[3]) * SECONDS.get(unit, math.nan) if len(zooms) > 3 else math.nan
    return seconds if seconds > 0 else math.nan
