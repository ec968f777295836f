"""Readers of preprocessed images in fMRIPrep's layout, volumes or CIFTI."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from semantoks.config import Parcellation
from semantoks.data.atlas.atlas import Atlas, same_space
from semantoks.data.atlas.images import is_cifti
from semantoks.data.index.shards import DerivativeScan, RawScan
from semantoks.data.layout import images_of_run, space_of
from semantoks.data.parcellate.confounds import load_confounds, mean_fd
from semantoks.data.parcellate.images.cifti import cifti_means, is_dense
from semantoks.data.parcellate.images.volumes import average_volumes, require_space
from semantoks.data.parcellate.readers.sidecar import read_sidecar
from semantoks.data.parcellate.regional_means import RegionalMeans
from semantoks.data.preprocess.rows import SUCCEEDED
from semantoks.data.signals import require_repetition_time
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
        When there is none.
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
    return fitting[0]


def read_fmriprep(
    bold: Path, atlas: Atlas, strategy: str, settings: Parcellation, tr: float = float("nan")
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
        Seconds, used if the sidecar states no repetition time.

    Returns
    -------
    RegionalMeans

    Raises
    ------
    ScanError
        When a file is missing or broken, or image, atlas and confounds do not fit.
    """
    sidecar = read_sidecar(bold)
    tr = require_repetition_time(sidecar.get("RepetitionTime", tr), f"the sidecar of {bold.name}")
    if is_dense(bold):
        image = cifti_means(bold, atlas, settings.min_coverage, tr)
    else:
        # The minimal engine writes the space into the sidecar as well as into the name.
        require_space(bold, str(sidecar.get("Space") or space_of(bold)), atlas)
        image = average_volumes(bold, _mask_of(bold), atlas, settings.min_coverage)
    confounds, sample_mask = load_confounds(bold, strategy, settings)
    if confounds is not None and len(confounds) != len(image.means_TC):
        # nilearn would fail with a message on array shapes.
        raise ScanError(
            f"the image has {len(image.means_TC)} volumes, its confounds table {len(confounds)} "
            "rows"
        )
    return RegionalMeans(
        image.means_TC,
        tr,
        space_of(bold) or atlas.space,
        confounds,
        sample_mask,
        image.measures | {"mean_fd": mean_fd(bold)},
    )


def _mask_of(bold: Path) -> Path:
    """Path of the brain mask beside an image, compressed unless only the other exists."""
    name = re.sub(f"({PREPROCESSED}|{AROMA}).nii(.gz)?$", "_desc-brain_mask.nii.gz", bold.name)
    mask, uncompressed = bold.with_name(name), bold.with_name(name.removesuffix(".gz"))
    return uncompressed if uncompressed.exists() and not mask.exists() else mask
