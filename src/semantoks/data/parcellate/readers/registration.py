"""Whether an image is in native space, and which warp field leads to it from standard space."""

from __future__ import annotations

import os
from pathlib import Path

from semantoks.data.layout import MASKS, REG, REG_STANDARD, WARPS
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.parcellate.images.warps import is_on_mni_grid
from semantoks.errors import ScanError

# TemplateFlow's name of FSL's MNI152, which FSL registers to by default.
FSL_STANDARD = "MNI152NLin6Asym"
# Folders of FEAT and MELODIC: what lies in them directly is in the native space of the run.
OF_FSL = (".feat", ".ica")


def warp_to(bold: Path, configured: Path | None = None) -> Path | None:
    """Return the warp field from standard space to an image; None if that is in template space.

    An image is in native space if a registration is configured for it, if FSL's folder ``reg`` is
    beside it, or if its folder is one of FEAT or MELODIC. An image in ``reg_standard``, or on the
    grid of FSL's MNI152, is in standard space. `space` of the data set decides nothing here: native
    images overlap the atlas well enough to pass every other check.

    Parameters
    ----------
    bold : Path
        Volumes.
    configured : Path, optional
        Warp field by `registration` of the data set.

    Raises
    ------
    ScanError
        When the image is native and there is no warp field, or when it is in standard space and a
        warp field is configured for it.
    """
    is_standard = bold.parent.name == REG_STANDARD or is_on_mni_grid(open_image(bold))
    if configured is not None:
        if is_standard:
            raise ScanError(
                f"{bold.name} is in standard space already, by its folder or its grid; the "
                f"registration {configured.name} is for images in native space: remove "
                "`registration`, or correct `template` of the data set"
            )
        return configured
    if is_standard or not _is_of_fsl(bold):
        return None
    warp = next((path for path in _warps(bold) if os.path.lexists(path)), None)
    if warp is None:
        raise ScanError(
            f"{bold.name} is in the native space of the run, whatever `space` says: it lies in a "
            f"folder of FSL, without {WARPS[0]}, which leads to standard space (an affine .mat is "
            "not enough); fetch that file, or name a warp field by `registration`"
        )
    return warp


def _is_of_fsl(bold: Path) -> bool:
    return bold.parent.suffix in OF_FSL or (bold.parent / REG).is_dir()


def _warps(bold: Path) -> list[Path]:
    return [bold.parent / warp for warp in WARPS]


def mask_beside(bold: Path) -> Path | None:
    """Return the brain mask in the folder of an image; None if there is none in its space.

    A link to a file that is not here is a mask as well: without it, other voxels would be averaged.
    """
    mask = next((path for path in map(bold.with_name, MASKS) if os.path.lexists(path)), None)
    if mask is None or not _is_of_fsl(bold) or not is_on_mni_grid(open_image(bold)):
        return mask
    # An image that was warped to MNI152 may lie beside the mask of the native run.
    return mask if is_on_mni_grid(open_image(mask)) else None


def standard_space_of(bold: Path) -> str:
    """Template space of an image by FSL's name of its folder; empty if that does not say it."""
    return FSL_STANDARD if bold.parent.name == REG_STANDARD else ""
