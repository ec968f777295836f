"""Preprocess the BOLD runs that share a T1w image.

The steps are those of fMRIPrep's core: head motion, slice timing, registration, resampling in one
interpolation, confounds. Left out are surfaces, susceptibility distortion correction and tissue
segmentation.
"""

from __future__ import annotations

import logging
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates

from semantoks.config import Preprocessing
from semantoks.data.index.shards import RawScan
from semantoks.data.preprocess.minimal.anatomy import (
    Anatomy,
    bold_mask,
    register_anatomy,
    register_bold,
)
from semantoks.data.preprocess.minimal.confound_table import confound_table, count_non_steady
from semantoks.data.preprocess.minimal.derivatives import RunFiles, write_anatomy, write_brain
from semantoks.data.preprocess.minimal.geometry import transform
from semantoks.data.preprocess.minimal.reading import RawBold, read_bold, read_t1w
from semantoks.data.preprocess.minimal.realign import choose_reference, realign
from semantoks.data.preprocess.minimal.resample import dice, resample, resample_mask
from semantoks.data.preprocess.minimal.slice_timing import (
    SliceTiming,
    SliceTimingError,
    correct_slice_timing,
)
from semantoks.data.preprocess.minimal.template import Template, load_template
from semantoks.data.preprocess.rows import Measures
from semantoks.errors import ScanError

log = logging.getLogger(__name__)


class Session:
    """BOLD runs that share a T1w image, which is registered once, when a run first needs it.

    Parameters
    ----------
    bids, out : Path
        Raw data set, and the folder for the derivatives.
    t1w : str
        Path of the T1w image relative to `bids`, empty if there is none.
    settings : Preprocessing
    t1w_name : str, optional
        Path after which its derivatives are named (default: `t1w`).
    """

    def __init__(
        self, bids: Path, out: Path, t1w: str, settings: Preprocessing, t1w_name: str = ""
    ) -> None:
        self.bids, self.out, self.t1w, self.settings = bids, out, t1w, settings
        self.t1w_name = t1w_name or t1w
        self.template = load_template(settings.voxel_size)
        self.correlation = float("nan")  # set when the anatomy is registered

    @cached_property
    def anatomy(self) -> Anatomy:
        """Registered T1w image; computing it writes the anatomical derivatives."""
        if not self.t1w:
            raise ScanError("no T1w image for this participant, which registration needs")
        image = read_t1w(self.bids / self.t1w)
        anatomy = register_anatomy(image, load_template(self.settings.registration_voxel_size))
        points = anatomy.from_template(self.template.points())
        voxels = transform(np.linalg.inv(anatomy.image.affine), points)
        resampled = map_coordinates(anatomy.image.data, voxels, order=1)
        resampled = resampled.reshape(self.template.brain.shape)
        write_anatomy(self.out, self.t1w_name, resampled, self.template)
        write_brain(self.out, self.t1w_name, anatomy.extracted, image.affine)
        self.correlation = _similarity(resampled, self.template)
        return anatomy

    def preprocess(self, scan: RawScan) -> Measures:
        """Preprocess one run and write its derivatives.

        Raises
        ------
        ScanError
            If the run cannot be used.
        """
        bold = read_bold(self.bids / scan.bold, float(scan.repetition_time))
        non_steady = count_non_steady(bold.images)
        reference = choose_reference(bold.images, non_steady)
        mask = bold_mask(bold.volume(reference))
        rigid = register_bold(bold.volume(reference), mask, self.anatomy)
        # Only now, because `self.anatomy` sets the correlation when it is first used.
        self._check_anatomy()
        # As in fMRIPrep, before slice timing: interpolation in time would smear the motion.
        motion = realign(bold.images, bold.affine, mask, reference)
        timing = correct_timing(bold, scan)
        # Mapping coordinates through all transforms leaves one interpolation of intensities.
        points = transform(rigid, self.anatomy.from_template(self.template.points()))
        inside = self.template.surroundings
        brain = resample_mask(mask, bold.affine, points).reshape(inside.shape)
        overlap = self._checked_overlap(brain)
        # Only brain and margin are resampled; the other voxels of the grid are written as 0.
        series = resample(bold, points[:, inside.ravel()], motion)
        masks = {name: tissue[inside] for name, tissue in self._tissues(brain).items()}
        table, metadata = confound_table(series, masks, motion, bold.repetition_time, non_steady)
        files = RunFiles(self.out, scan.scan, scan.bold_name)
        files.write_confounds(table, metadata)
        files.write_mask(brain & inside, self.template)
        files.write_bold(series, inside, self.template, bold.repetition_time, timing)
        return {
            "dice": round(overlap, 4),
            "correlation": round(self.correlation, 4),
            "mean_fd": round(float(table["framewise_displacement"].mean()), 4),
            "n_volumes": bold.n_volumes,
            "repetition_time": bold.repetition_time,
        }

    def _check_anatomy(self) -> None:
        if self.correlation < self.settings.min_correlation:
            raise ScanError(
                "T1w registration failed, or the image is not a T1w image: its correlation with "
                f"the template is {self.correlation:.2f} (minimum "
                f"{self.settings.min_correlation:g})"
            )

    def _checked_overlap(self, brain: np.ndarray) -> float:
        overlap = dice(brain, self.template.brain)
        if overlap < self.settings.min_dice:
            raise ScanError(
                "BOLD registration failed, or part of the brain is missing: the Dice overlap of "
                f"brain mask and template is {overlap:.2f} (minimum {self.settings.min_dice:g})"
            )
        return overlap

    def _tissues(self, brain: np.ndarray) -> dict[str, np.ndarray]:
        """Intersect the template's tissue masks with the brain mask of the run."""
        template = self.template
        masks = {
            "brain": template.brain,
            "csf": template.csf,
            "white_matter": template.white_matter,
        }
        tissues = {name: brain & mask for name, mask in masks.items()}
        for name, tissue in tissues.items():
            if not tissue.any():
                raise ScanError(f"no {name} voxel in the field of view, which confounds need")
        return tissues


def _similarity(t1w: np.ndarray, template: Template) -> float:
    """Correlate an image in template space with the template, inside its brain."""
    inside = template.brain
    return float(np.corrcoef(t1w[inside], template.t1w[inside])[0, 1])


def correct_timing(bold: RawBold, scan: RawScan) -> dict[str, object]:
    """Correct slice timing in place where it is known; return the metadata for the sidecar."""
    if not scan.slice_timing:
        return {"SliceTimingCorrected": False}
    try:
        timing = SliceTiming.from_bids(scan.slice_timing, scan.slice_encoding_direction or "k")
        timing.check(bold.images.shape, bold.repetition_time)
    except SliceTimingError as problem:
        log.warning("%s: slice timing is not corrected, since %s", scan.scan, problem)
        return {"SliceTimingCorrected": False, "SliceTimingProblem": str(problem)}
    middle = correct_slice_timing(bold.images, bold.repetition_time, timing.times, timing.axis)
    return {"SliceTimingCorrected": True, "StartTime": round(middle, 4)}
