"""Runs in template space: fMRIPrep's layout, or any tree of images a template names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas, same_space
from semantoks.data.parcellate.cifti import cifti_means, own_tr
from semantoks.data.parcellate.confounds import load_confounds, mean_fd
from semantoks.data.parcellate.run import Run, sidecar
from semantoks.data.parcellate.volumes import open_image, regional_means
from semantoks.data.signals import repetition_time
from semantoks.errors import ScanError

PREPROCESSED = "_desc-preproc_bold"
MNI_152 = 4  # NIfTI's code
AROMA = "_desc-smoothAROMAnonaggr_bold"


def find_bold(folder: Path, scan: str, atlas: Atlas, strategy: str) -> Path:
    """Find the preprocessed image of a scan that fits the atlas.

    Parameters
    ----------
    folder : Path
        Of a person or a run, in fMRIPrep's layout.
    scan : str
    atlas : Atlas
        Its space decides between several outputs of a run.
    strategy : str
        ``ica_aroma`` wants the image that ICA-AROMA has cleaned.

    Raises
    ------
    ScanError
        When there is none.
    """
    pattern = f"{scan}_space-*{AROMA if strategy == 'ica_aroma' else PREPROCESSED}.nii*"
    if isinstance(atlas.image, nib.Cifti2Image):
        pattern = f"{scan}_space-*_bold.dtseries.nii"
    found = sorted(folder.rglob(pattern)) if folder.is_dir() else []
    if not found:
        raise ScanError(f"no preprocessed BOLD image {pattern}")
    fitting = [path for path in found if same_space(atlas.space, space_of(path))]
    if not fitting:
        spaces = ", ".join(sorted({space_of(path) for path in found}))
        raise ScanError(f"its images are in {spaces}, the atlas {atlas.name} is in {atlas.space}")
    return fitting[0]


def space_of(path: Path) -> str:
    """Template that the name of a file states, empty if it states none."""
    entities = dict(part.split("-", 1) for part in path.name.split("_") if "-" in part)
    return entities.get("space", "")


def read_fmriprep(
    bold: Path, atlas: Atlas, strategy: str, settings: Parcellation, tr: Any = None
) -> Run:
    """Read a run in fMRIPrep's layout: volumes or CIFTI, mask, confounds and sidecar beside it.

    `tr` (s) counts where the sidecar states none.
    """
    about = sidecar(bold)
    tr = repetition_time(about.get("RepetitionTime", tr), f"the sidecar of {bold.name}")
    if bold.name.endswith(".dtseries.nii"):
        means, measures = cifti_means(bold, atlas, settings.min_coverage, tr)
    else:
        _require_space(bold, str(about.get("Space") or space_of(bold)), atlas)
        means, measures = _averaged(bold, _mask_of(bold), atlas, settings)
    confounds, kept = load_confounds(bold, strategy, settings)
    if confounds is not None and len(confounds) != len(means):
        raise ScanError(
            f"the image has {len(means)} volumes, its confounds table {len(confounds)} rows"
        )
    measures["mean_fd"] = mean_fd(bold)
    return Run(means, tr, space_of(bold) or atlas.space, confounds, kept, measures)


def read_image(
    bold: Path, atlas: Atlas, tr: Any, settings: Parcellation, space: str | None = None
) -> Run:
    """Read a run of a tree that is not fMRIPrep's (UK Biobank, ABIDE PCP): no confounds.

    A mask is the file ``mask.nii.gz`` or ``brain_mask.nii.gz`` in the same folder, if there is one.
    The template is `space`, else what the file's name says; else the header must say it is MNI.
    """
    tr = repetition_time(_given_tr(tr, bold), f"the sidecar of {bold.name} (or `repetition_time`)")
    if bold.name.endswith(".dtseries.nii"):
        means, measures = cifti_means(bold, atlas, settings.min_coverage, tr)
        return Run(means, tr, atlas.space, measures=measures)
    space = space or space_of(bold)
    if space:
        _require_space(bold, space, atlas)
    else:
        _require_mni(bold)
    masks = [bold.with_name(name) for name in ("mask.nii.gz", "brain_mask.nii.gz")]
    mask = next((path for path in masks if path.exists()), None)
    means, measures = _averaged(bold, mask, atlas, settings)
    return Run(means, tr, space or atlas.space, measures=measures)


def _require_mni(bold: Path) -> None:
    """Refuse an image whose header does not claim to be in MNI space."""
    header = open_image(bold).header
    code = int(header["sform_code"]) or int(header["qform_code"])
    if code != MNI_152:
        raise ScanError(
            f"neither the name nor the header of {bold.name} (form code {code}, MNI is {MNI_152}) "
            "says that it is in template space; if it is, set `space` of the data set"
        )


def _mask_of(bold: Path) -> Path:
    """Name the brain mask beside an image, compressed or not."""
    name = re.sub(f"({PREPROCESSED}|{AROMA}).nii(.gz)?$", "_desc-brain_mask.nii.gz", bold.name)
    mask, plain = bold.with_name(name), bold.with_name(name.removesuffix(".gz"))
    return plain if plain.exists() and not mask.exists() else mask


def _given_tr(tr: Any, bold: Path) -> Any:
    """Return the TR as configured, else of the sidecar, else (CIFTI) of the file itself."""
    if tr == tr and tr is not None:  # not NaN
        return tr
    try:
        return sidecar(bold)["RepetitionTime"]
    except (ScanError, KeyError):
        return own_tr(bold) if bold.name.endswith(".dtseries.nii") else None


def _averaged(
    bold: Path, mask: Path | None, atlas: Atlas, settings: Parcellation
) -> tuple[np.ndarray, dict[str, float]]:
    if isinstance(atlas.image, nib.Cifti2Image):
        raise ScanError(f"{bold.name} is a volume; the atlas {atlas.name} is CIFTI")
    labels = [int(label) for label in atlas.regions["index"]]
    found = regional_means(bold, mask, atlas.image, labels, settings.min_coverage)
    return found.means_TC, {"tsnr": found.tsnr, "dvars": found.dvars}


def _require_space(bold: Path, space: str, atlas: Atlas) -> None:
    if space and not same_space(atlas.space, space):
        raise ScanError(f"{bold.name} is in {space}, the atlas {atlas.name} is in {atlas.space}")
