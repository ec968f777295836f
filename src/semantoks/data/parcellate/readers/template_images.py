"""Reader of images that are not in fMRIPrep's layout, such as UK Biobank's or ABIDE PCP's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from semantoks.config import ENTITIES, Parcellation
from semantoks.data.atlas.atlas import Atlas, same_space
from semantoks.data.atlas.images import MNI_152
from semantoks.data.index.inheritance import sidecar_names
from semantoks.data.index.shards import DerivativeScan
from semantoks.data.index.templates import fill_template
from semantoks.data.layout import REG, affine_of, files_beside, space_of
from semantoks.data.parcellate.images.cifti import cifti_means, is_dense
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.parcellate.images.volumes import average_volumes, require_space
from semantoks.data.parcellate.readers.image_tr import image_repetition_time
from semantoks.data.parcellate.readers.registration import (
    FSL_STANDARD,
    mask_beside,
    standard_space_of,
    warp_to,
)
from semantoks.data.parcellate.readers.xcpd import restore_censored
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.zips import unpacked
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
    registration : str or None
        Template of the paths of warp fields, for images in native space.
    confounds : str
        The images come denoised or not at all; there is no table of confounds to regress out.
    """

    folder: Path
    atlas: Atlas
    settings: Parcellation
    space: str | None = None
    registration: str | None = None
    confounds: str = "as given"

    def read(self, scan: DerivativeScan) -> RegionalMeans:
        """Read the scan's image; see `ScanReader`."""
        with self._files_of(scan) as (bold, warp):
            tr, settings = scan.repetition_time, self.settings
            means = read_image(bold, self.atlas, tr, settings, self.space, warp)
            return restore_censored(means, bold)

    @contextmanager
    def _files_of(self, scan: DerivativeScan) -> Iterator[tuple[Path, Path | None]]:
        """Yield image and configured warp field, unpacked if they are in a zip file."""
        image = PurePosixPath(scan.file)
        others = [image.with_name(name) for name in sidecar_names(image.name)]
        names = [path.as_posix() for path in (*others, *files_beside(image))]
        with unpacked(self.folder, scan.file, names, [(image.parent / REG).as_posix()]) as bold:
            if self.registration is None:
                yield bold, None
                return
            values = (scan.participant_id, scan.session, scan.task, scan.run)
            name = fill_template(self.registration, dict(zip(ENTITIES, values, strict=True)))
            affine = affine_of(PurePosixPath(name)).as_posix()
            with unpacked(self.folder, name, [affine]) as warp:
                yield bold, warp


def read_image(
    bold: Path,
    atlas: Atlas,
    tr: float,
    settings: Parcellation,
    space: str | None = None,
    warp: Path | None = None,
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
        Template space. Default: what the file name or FSL's name of its folder states; else the
        header must state MNI152.
    warp : Path, optional
        Warp field of an image in native space. Default: the one in FSL's folder beside it.

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
        if warp is not None:
            raise ScanError(
                f"{bold.name} is CIFTI, the registration {warp.name} is for volumes in native "
                "space; remove `registration` of the data set"
            )
        # Template spaces are not compared for CIFTI: `cifti_means` compares the meshes.
        dense = cifti_means(bold, atlas, settings.min_coverage, tr)
        return RegionalMeans(dense.means_TC, tr, atlas.space, measures=dense.measures)
    warp = warp_to(bold, warp)
    space = (
        _space_through(warp, bold, space, atlas) if warp else _template_space(bold, space, atlas)
    )
    image = average_volumes(bold, mask_beside(bold), atlas, settings.min_coverage, warp)
    return RegionalMeans(image.means_TC, tr, space or atlas.space, measures=image.measures)


def _space_through(warp: Path, bold: Path, configured: str | None, atlas: Atlas) -> str:
    """Return the space that a warp field of FSL leads to; refuse what contradicts it."""
    if space_of(bold) not in {"", *INDIVIDUAL_SPACES}:
        raise ScanError(
            f"{bold.name} is in {space_of(bold)} by its name, the registration {warp.name} is for "
            "images in native space: one of them is wrong"
        )
    if not same_space(atlas.space, FSL_STANDARD):
        raise ScanError(
            f"the registration {warp.name} leads to {FSL_STANDARD}, the atlas {atlas.name} is in "
            f"{atlas.space}"
        )
    if configured and not same_space(FSL_STANDARD, configured):
        raise ScanError(
            f"the registration {warp.name} leads to {FSL_STANDARD}, `space` of the data set states "
            f"{configured}; remove `space`"
        )
    return FSL_STANDARD


def _template_space(bold: Path, configured: str | None, atlas: Atlas) -> str:
    """Return the template space of an image; empty if only its header states that it has one."""
    _require_template_space(bold, configured)
    space = configured or space_of(bold) or standard_space_of(bold)
    if space:
        require_space(bold, space, atlas)
    else:
        _require_mni(bold)
    return space


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
            "says that it is in template space; if it was warped to one, set `space` of the data "
            "set; if it is in native space, name FSL's warp field by `registration`"
        )
