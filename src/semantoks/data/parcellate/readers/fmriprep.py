"""Readers of preprocessed images in fMRIPrep's layout, volumes or CIFTI."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas, same_space
from semantoks.data.atlas.images import is_cifti
from semantoks.data.index.shards import DerivativeScan, RawScan
from semantoks.data.layout import beside, images_of_run, scan_of, space_of
from semantoks.data.parcellate.confounds import (
    confounds_table,
    load_confounds,
    mean_fd,
    steady_volumes,
)
from semantoks.data.parcellate.images.cifti import cifti_means, is_dense
from semantoks.data.parcellate.images.nifti import open_image
from semantoks.data.parcellate.images.volumes import average_volumes, require_space
from semantoks.data.parcellate.readers.image_tr import image_repetition_time
from semantoks.data.parcellate.readers.sampling import nearest_resolution, same_density
from semantoks.data.parcellate.readers.sidecar import read_sidecar
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.preprocess.rows import SUCCEEDED
from semantoks.errors import ScanError

PREPROCESSED = "_desc-preproc_bold"
# Written by fMRIPrep before version 24; ICA-AROMA has moved to fMRIPost-AROMA.
AROMA = "_desc-smoothAROMAnonaggr_bold"
WITHOUT_MOTION = ("36p", "none", "ica_aroma")  # strategies that ignore the setting `motion`
PREPROCESSING_MEASURES = ["mean_fd", "dice", "correlation"]


@dataclass(frozen=True)
class FmriprepReader:
    """Read scans of a data set that fMRIPrep has preprocessed.

    Attributes
    ----------
    folder : Path
        Derivatives.
    atlas : Atlas
    settings : Parcellation
    strategy : str
        Confounds, by nilearn's names or ours; see `load_confounds`.
    """

    folder: Path
    atlas: Atlas
    settings: Parcellation
    strategy: str

    @property
    def confounds(self) -> str:
        """The strategy, and the motion regressors where it has a choice of them."""
        if self.strategy in WITHOUT_MOTION:
            return self.strategy
        return f"{self.strategy}, motion {self.settings.motion}"

    def read(self, scan: DerivativeScan) -> RegionalMeans:
        """Read the scan's image in the space of the atlas; see `ScanReader`."""
        return self.read_run((self.folder / scan.file).parent, scan.scan, scan.repetition_time)

    def read_run(self, folder: Path, scan: str, tr: float) -> RegionalMeans:
        """Find and read a run below a folder; see `find_bold` and `read_fmriprep`."""
        bold = find_bold(folder, scan, self.atlas, self.strategy)
        return read_fmriprep(bold, self.atlas, self.strategy, self.settings, tr)


@dataclass(frozen=True)
class PreprocessedReader:
    """Read scans that the workflow itself has preprocessed, with `preprocess`'s measures.

    Attributes
    ----------
    fmriprep : FmriprepReader
        Both engines write fMRIPrep's layout.
    outcomes : DataFrame
        ``scans.tsv`` of the derivatives, indexed by scan: ``status``, ``reason`` and
        `PREPROCESSING_MEASURES`.
    """

    fmriprep: FmriprepReader
    outcomes: pd.DataFrame

    @property
    def confounds(self) -> str:
        """As for `FmriprepReader`."""
        return self.fmriprep.confounds

    def read(self, scan: RawScan) -> RegionalMeans:
        """Read the scan's image; what `preprocess` could not do is raised. See `ScanReader`."""
        measures = self._measures(scan.scan)
        folder = self.fmriprep.folder / scan.participant_id
        means = self.fmriprep.read_run(folder, scan.scan, scan.repetition_time)
        return replace(means, measures=means.measures | measures)

    def _measures(self, scan: str) -> dict[str, float]:
        row = self.outcomes.loc[scan]
        numbers = pd.to_numeric(row[PREPROCESSING_MEASURES], errors="coerce").dropna()
        measures = {str(name): float(value) for name, value in numbers.items()}
        if row["status"] != SUCCEEDED:
            # With what was measured before the failure, which the scan table reports.
            raise ScanError(str(row["reason"]), measures)
        return measures


def find_bold(folder: Path, scan: str, atlas: Atlas, strategy: str) -> Path:
    """Find the preprocessed image of a run that is in the space of the atlas.

    Of several resolutions, the one nearest to the atlas's is taken; of several densities, the
    atlas's. If an atlas fits several spaces (spheres), the first in alphabetical order is taken.

    Parameters
    ----------
    folder : Path
        Folder of a participant or a run.
    scan : str
    atlas : Atlas
        A CIFTI atlas selects CIFTI images.
    strategy : str
        ``ica_aroma`` selects the image that ICA-AROMA has denoised.

    Returns
    -------
    Path

    Raises
    ------
    ScanError
        When there is none, or several fit equally well.
    """
    ending = f"{AROMA if strategy == 'ica_aroma' else PREPROCESSED}.nii*"
    if is_cifti(atlas.image):
        # CIFTI files of fMRIPrep have no `desc` entity.
        ending = "_bold.dtseries.nii"
    images = images_of_run(folder, scan, ending)
    if not images:
        raise ScanError(f"no preprocessed BOLD image {scan}_space-*{ending}")
    fitting = [path for path in images if same_space(atlas.space, space_of(path))]
    if not fitting:
        spaces = ", ".join(sorted({space_of(path) for path in images}))
        raise ScanError(f"its images are in {spaces}, the atlas {atlas.name} is in {atlas.space}")
    space = min(map(space_of, fitting))
    sampled = [path for path in fitting if space_of(path) == space]
    if len(sampled) == 1:
        return sampled[0]
    if is_cifti(atlas.image):
        return same_density(sampled, atlas.image)
    return nearest_resolution(sampled, atlas.image.affine)


def read_fmriprep(
    bold: Path,
    atlas: Atlas,
    strategy: str,
    settings: Parcellation,
    tr: float = float("nan"),
    table: Path | None = None,
) -> RegionalMeans:
    """Average a run in fMRIPrep's layout and load its confounds.

    Parameters
    ----------
    bold : Path
        Volumes or CIFTI; sidecar, mask and confounds table lie beside it.
    atlas : Atlas
    strategy : str
    settings : Parcellation
    tr : float
        Seconds, used if neither the sidecar nor (CIFTI) the header states it; NaN if not known.
    table : Path, optional
        Table of confounds (default: the one beside the image).

    Returns
    -------
    RegionalMeans

    Raises
    ------
    ScanError
        When a file is missing or broken, or image, atlas and confounds do not fit.
    """
    tr = image_repetition_time(bold, tr)
    if not is_dense(bold):
        require_space(bold, _stated_space(bold), atlas)
    confounds, sample_mask = load_confounds(bold, strategy, settings, table)
    steady = steady_volumes(table or confounds_table(bold))
    if is_dense(bold):
        image = cifti_means(bold, atlas, settings.min_coverage, tr, steady)
    else:
        mask = _mask_of(bold)
        image = average_volumes(bold, mask, atlas, settings.min_coverage, steady=steady)
    _require_rows(confounds, sample_mask, len(image.means_TC))
    return RegionalMeans(
        image.means_TC,
        tr,
        space_of(bold) or atlas.space,
        confounds,
        sample_mask,
        image.measures | {"mean_fd": mean_fd(bold, table)},
    )


def _require_rows(
    confounds: pd.DataFrame | None, sample_mask: np.ndarray | None, volumes: int
) -> None:
    if confounds is not None:
        rows = len(confounds)
    elif sample_mask is not None:
        rows = int(sample_mask[-1]) + 1  # it leaves out the first volumes only
    else:
        return
    if rows != volumes:
        # nilearn would fail with a message on array shapes.
        raise ScanError(f"the image has {volumes} volumes, its confounds table {rows} rows")


def _stated_space(bold: Path) -> str:
    """Space that the sidecar states, else the name; only the name states the cohort."""
    by_name = space_of(bold)
    # The minimal engine writes the space into the sidecar as well as into the name.
    stated, _ = read_sidecar(bold).get("Space", (by_name, ""))
    return by_name if not stated or stated == by_name.split(":")[0] else str(stated)


def _mask_of(bold: Path) -> Path | None:
    """Path of the brain mask of an image, compressed unless only the other exists.

    fMRIPrep writes the images of ICA-AROMA in a space and resolution for which there are other
    images and masks only if the user asks for them. Without a mask, voxels that never change are
    outside the brain.
    """
    name = re.sub(f"({PREPROCESSED}|{AROMA}).nii(.gz)?$", "_desc-brain_mask.nii.gz", bold.name)
    mask, uncompressed = beside(bold, name), beside(bold, name.removesuffix(".gz"))
    # A link to a file that is not here is a mask as well: that it is missing is then the reason.
    if os.path.lexists(mask) or AROMA not in bold.name:
        return uncompressed if uncompressed.exists() and not mask.exists() else mask
    if os.path.lexists(uncompressed):
        return uncompressed
    masks = images_of_run(bold.parent, scan_of(bold.name), "_desc-brain_mask.nii*")
    masks = [path for path in masks if space_of(path) == space_of(bold)]
    return nearest_resolution(masks, open_image(bold).affine) if masks else None
