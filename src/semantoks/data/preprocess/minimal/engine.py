"""The built-in engine: head motion, slice timing, registration, one resampling, confounds.

It is not fMRIPrep: no surfaces, no distortion correction, no field maps, no segmentation.
"""

from __future__ import annotations

import json
import logging
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

from semantoks.config import Preprocessing
from semantoks.data.preprocess.minimal.anatomy import (
    Anatomy,
    bold_mask,
    register_anatomy,
    register_bold,
)
from semantoks.data.preprocess.minimal.confound_table import confound_table, count_non_steady
from semantoks.data.preprocess.minimal.derivatives import RunFiles, write_anatomy, write_brain
from semantoks.data.preprocess.minimal.geometry import transform
from semantoks.data.preprocess.minimal.reading import Run, read_bold, read_t1w
from semantoks.data.preprocess.minimal.realign import choose_reference, realign
from semantoks.data.preprocess.minimal.resample import dice, resample, resample_mask
from semantoks.data.preprocess.minimal.slice_timing import correct_slice_timing, slice_axis
from semantoks.data.preprocess.minimal.template import Template, load_template
from semantoks.errors import ScanError

log = logging.getLogger(__name__)


class Session:
    """Scans that share one T1w image, which is registered once, when it is first needed."""

    def __init__(self, bids: Path, out: Path, t1w: str, settings: Preprocessing) -> None:
        self.bids, self.out, self.t1w, self.settings = bids, out, t1w, settings
        self.template = load_template(settings.voxel_size)
        self.correlation = float("nan")  # known once the anatomy is registered

    @cached_property
    def anatomy(self) -> Anatomy:
        """The registered T1w image; written in template space, and its brain in its own."""
        if not self.t1w:
            raise ScanError("no T1w image of this person, and registration needs one")
        image = read_t1w(self.bids / self.t1w)
        anatomy = register_anatomy(image, load_template(self.settings.registration_voxel_size))
        points = anatomy.from_template(self.template.points())
        voxels = transform(np.linalg.inv(anatomy.image.affine), points)
        resampled = map_coordinates(anatomy.image.data, voxels, order=1)
        shape = self.template.brain.shape
        resampled = resampled.reshape(shape)
        write_anatomy(self.out, self.t1w, resampled, self.template)
        write_brain(self.out, self.t1w, anatomy.extracted, image.affine)
        self.correlation = _similarity(resampled, self.template)
        return anatomy

    def preprocess(self, scan: dict[str, Any]) -> dict[str, Any]:
        """Preprocess one run, a row of the index.

        Returns
        -------
        dict
            `dice`, `correlation`, `mean_fd` (mm), `n_volumes` and `repetition_time` (s).

        Raises
        ------
        ScanError
            When the run cannot be used.
        """
        run = read_bold(self.bids / scan["bold"], float(scan["repetition_time"]))
        non_steady = count_non_steady(run.images)
        reference = choose_reference(run.images, non_steady)
        mask = bold_mask(run.volume(reference))
        rigid = register_bold(run.volume(reference), mask, self.anatomy)
        self._check_anatomy()
        motion = realign(run.images, run.affine, mask, reference)
        timing = _correct_timing(run, scan)
        points = transform(rigid, self.anatomy.from_template(self.template.points()))
        inside = self.template.surroundings
        brain = resample_mask(mask, run.affine, points).reshape(inside.shape)
        overlap = self._checked_overlap(brain)
        series = resample(run, points[:, inside.ravel()], motion)
        masks = {name: tissue[inside] for name, tissue in self._tissues(brain).items()}
        table, metadata = confound_table(series, masks, motion, run.repetition_time, non_steady)
        files = RunFiles(self.out, scan["scan"], scan["bold"])
        files.write_confounds(table, metadata)
        files.write_mask(brain & inside, self.template)
        files.write_bold(series, inside, self.template, run.repetition_time, timing)
        return {
            "dice": round(overlap, 4),
            "correlation": round(self.correlation, 4),
            "mean_fd": round(float(table["framewise_displacement"].mean()), 4),
            "n_volumes": run.volumes,
            "repetition_time": run.repetition_time,
        }

    def _check_anatomy(self) -> None:
        if self.correlation < self.settings.min_correlation:
            raise ScanError(
                f"the T1w image in template space correlates with the template by "
                f"{self.correlation:.2f}, at least {self.settings.min_correlation:g} is wanted: "
                "registration failed, or it is no T1w image"
            )

    def _checked_overlap(self, brain: np.ndarray) -> float:
        overlap = dice(brain, self.template.brain)
        if overlap < self.settings.min_dice:
            raise ScanError(
                f"brain mask and template overlap by {overlap:.2f} (Dice), at least "
                f"{self.settings.min_dice:g} is wanted: registration failed or part of the brain "
                "is missing"
            )
        return overlap

    def _tissues(self, brain: np.ndarray) -> dict[str, np.ndarray]:
        """Masks for the confounds: the template's, where the run has a brain."""
        template = self.template
        names = {
            "brain": template.brain,
            "csf": template.csf,
            "white_matter": template.white_matter,
        }
        tissues = {name: brain & tissue for name, tissue in names.items()}
        for name, tissue in tissues.items():
            if not tissue.any():
                raise ScanError(f"no voxel of {name} in the field of view, confounds need some")
        return tissues


def _similarity(t1w: np.ndarray, template: Template) -> float:
    """Correlate an image in template space with the template, inside its brain."""
    inside = template.brain
    return float(np.corrcoef(t1w[inside], template.t1w[inside])[0, 1])


def _correct_timing(run: Run, scan: dict[str, Any]) -> dict[str, Any]:
    """Correct slice timing in place, if it is known; what to say about it in the sidecar."""
    if not scan["slice_timing"]:
        return {"SliceTimingCorrected": False}
    times = json.loads(scan["slice_timing"])
    axis, ordered = slice_axis(scan["slice_encoding_direction"] or "k", times)
    if ordered.max() > run.repetition_time:
        raise ScanError(
            f"SliceTiming goes to {ordered.max():g} s but RepetitionTime is "
            f"{run.repetition_time:g} s: one of them is not in seconds"
        )
    if len(ordered) != run.images.shape[axis]:
        raise ScanError(
            f"SliceTiming lists {len(ordered)} slices, the image has {run.images.shape[axis]}"
        )
    middle = correct_slice_timing(run.images, run.repetition_time, ordered, axis)
    return {"SliceTimingCorrected": True, "StartTime": round(middle, 4)}


def preprocess_session(
    scans: list[dict[str, Any]], bids: Path, out: Path, settings: Preprocessing
) -> list[dict[str, Any]]:
    """Preprocess the scans that share a T1w image; none of them stops the others.

    Parameters
    ----------
    scans
        Rows of the index.
    bids, out
        Raw data set and output folder.
    settings
        How.

    Returns
    -------
    list of dict
        One row of the status table for each.
    """
    session = Session(bids, out, scans[0]["t1w"], settings)
    rows = []
    for scan in scans:
        started = time.process_time()
        row = {key: scan[key] for key in ("scan", "participant_id")}
        try:
            row |= {"status": "ok", "reason": "", **session.preprocess(scan)}
        except ScanError as reason:
            row |= {"status": "failed", "reason": str(reason)}
        except Exception as error:  # whatever odd data do to a library, the cohort goes on
            log.exception("%s failed", scan["scan"])
            row |= {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
        rows.append(row | {"seconds": round(time.process_time() - started, 2)})
    return rows
