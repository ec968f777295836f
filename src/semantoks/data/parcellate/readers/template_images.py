"""Reader of images that are not in fMRIPrep's layout, such as UK Biobank's or ABIDE PCP's."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas
from semantoks.data.atlas.images import MNI_152
from semantoks.data.index.shards import DerivativeScan
from semantoks.data.layout import MASKS, space_of
from semantoks.data.parcellate.images.cifti import cifti_means, is_dense
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.parcellate.images.volumes import average_volumes, require_space
from semantoks.data.parcellate.readers.image_tr import image_repetition_time
from semantoks.data.parcellate.readers.xcpd import restore_censored
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.errors import ScanError

log = logging.getLogger(__name__)
# Of BIDS, fMRIPrep and XCP-D.
INDIVIDUAL_SPACES = frozenset(("T1w", "T2w", "anat", "bold", "boldref", "func"))
INDIVIDUAL_SPACES |= {"individual", "native", "orig", "scanner", "fsnative"}


@dataclass(frozen=True)
class TemplateImageReader:
    """Read images that the configuration finds by a `template` of their paths.

    Attributes
    ----------
    folder : Path
    atlas : Atlas
    settings : Parcellation
    space : str or None
        Template space of the images, if neither their names nor their headers state it.
    confounds : str
        The images come denoised or not at all; there is no table of confounds to regress out.
    """

    folder: Path
    atlas: Atlas
    settings: Parcellation
    space: str | None = None
    confounds: str = "as given"

    def read(self, scan: DerivativeScan) -> RegionalMeans:
        """Read the scan's image; see `ScanReader`."""
        bold = self.folder / scan.file
        means = read_image(bold, self.atlas, scan.repetition_time, self.settings, self.space)
        return restore_censored(means, bold)


def read_image(
    bold: Path, atlas: Atlas, tr: float, settings: Parcellation, space: str | None = None
) -> RegionalMeans:
    """Average an image, without confounds.

    Parameters
    ----------
    bold : Path
        Volumes or CIFTI. One of `MASKS` in the same folder is the brain mask, if there is one.
    atlas : Atlas
    tr : float
        Seconds, used if neither the sidecar nor (CIFTI) the header states it; NaN if not known.
    settings : Parcellation
    space : str, optional
        Template space. Default: what the file name states; else the header must state MNI152.

    Returns
    -------
    RegionalMeans

    Raises
    ------
    ScanError
        When the image cannot be read, or is not known to be in the space of the atlas.
    """
    tr = image_repetition_time(bold, tr)
    if is_dense(bold):
        # Template spaces are not compared for CIFTI: `cifti_means` compares the meshes.
        dense = cifti_means(bold, atlas, settings.min_coverage, tr)
        return RegionalMeans(dense.means_TC, tr, atlas.space, measures=dense.measures)
    _require_template_space(bold, space)
    space = space or space_of(bold)
    if space:
        require_space(bold, space, atlas)
    else:
        _require_mni(bold)
    # Also a link to a file that is not here: without the mask, other voxels would be averaged.
    mask = next((path for path in map(bold.with_name, MASKS) if os.path.lexists(path)), None)
    image = average_volumes(bold, mask, atlas, settings.min_coverage)
    return RegionalMeans(image.means_TC, tr, space or atlas.space, measures=image.measures)


def _require_template_space(bold: Path, configured: str | None) -> None:
    """Refuse an image named as one in a participant's own space; log other contradictions."""
    stated = space_of(bold)
    if stated in INDIVIDUAL_SPACES:
        raise ScanError(f"{bold.name} is in the participant's own space ({stated}) by its name")
    if configured and stated and configured != stated:
        log.warning("%s: its name states %s, `space` states %s", bold.name, stated, configured)


def _require_mni(bold: Path) -> None:
    """Refuse an image whose header does not state MNI152.

    An image in native space would overlap the atlas well enough to pass every other check.
    """
    header = open_image(bold).header
    # The sform takes precedence over the qform, as in nibabel.
    code = int(header["sform_code"]) or int(header["qform_code"])
    if code != MNI_152:
        raise ScanError(
            f"neither the name nor the header of {bold.name} (form code {code}, MNI is {MNI_152}) "
            "says that it is in template space; if it is, set `space` of the data set"
        )
