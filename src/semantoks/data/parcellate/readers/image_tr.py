"""The repetition time of images: which of sidecar, header and configuration decides."""

from __future__ import annotations

import logging
import math
from pathlib import Path

from semantoks.data.index.raw.headers import nifti_tr
from semantoks.data.parcellate.images.cifti import header_tr, is_dense
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.parcellate.readers.sidecar import repetition_time
from semantoks.data.signals import MAX_TR

log = logging.getLogger(__name__)
TOLERANCE = 0.01  # relative; less is rounding, and shifts a scan by less than its length / 100


def image_repetition_time(bold: Path, configured: float) -> float:
    """Return the repetition time (s) of an image.

    The sidecar decides, then the header of a CIFTI file, then what `index` wrote: the configured
    TR, else that of the NIfTI header. If one of these differs from what is used, the log says so.

    Parameters
    ----------
    bold : Path
    configured : float
        As `index` wrote it; NaN if there is none.

    Raises
    ------
    ScanError
        When there is none, it is not plausible, or sidecar and CIFTI header differ.
    """
    dense = is_dense(bold)
    tr = repetition_time(bold, configured, header_tr(bold) if dense else None)
    others = {"`repetition_time` of the data set": configured}
    if not dense:
        others["its header"] = nifti_tr(open_image(bold).header)
    for source, seconds in others.items():
        if 0 < seconds <= MAX_TR and not math.isclose(seconds, tr, rel_tol=TOLERANCE):
            log.warning("%s: a TR of %g s is used; %s states %g s", bold.name, tr, source, seconds)
    return tr
