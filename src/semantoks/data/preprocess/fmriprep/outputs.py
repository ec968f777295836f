"""Verify that fMRIPrep wrote all outputs of a scan, and that they can be read.

The exit status does not tell: fMRIPrep may exit with 0 although a scan's outputs are missing, and
with 1 although only another participant failed.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.filebasedimages import ImageFileError

from semantoks.data.index.shards import RawScan
from semantoks.data.layout import beside
from semantoks.data.preprocess.rows import Measures
from semantoks.errors import ScanError

T = TypeVar("T")
CONFOUNDS = ("timeseries", "regressors")  # the latter before version 20.2
CHUNK = 1 << 24
# What nibabel, gzip and pandas raise for truncated or malformed files.
UNREADABLE = (OSError, EOFError, ValueError, zlib.error, ImageFileError)


class OutputError(Exception):
    """An output is missing or unreadable; the message completes "fMRIPrep wrote ..."."""


def derivatives_folder(out: Path) -> Path:
    """Return the folder of derivatives: the output folder, or its subfolder before version 21."""
    legacy = out / "fmriprep"
    return legacy if legacy.is_dir() else out


def freesurfer_folder(out: Path) -> Path:
    """Return the folder of surfaces, which before version 21 was beside the derivatives."""
    if derivatives_folder(out) != out:
        return out / "freesurfer"
    return out / "sourcedata" / "freesurfer"


def verify_outputs(folder: Path, scan: RawScan, output_space: str) -> Measures:
    """Check that all outputs of a scan are complete, and measure the scan.

    Parameters
    ----------
    folder : Path
        Folder of derivatives.
    scan : RawScan
    output_space : str
        Value of fMRIPrep's ``--output-spaces``.

    Returns
    -------
    Measures
        ``mean_fd`` (mm), ``n_volumes`` and ``repetition_time`` (s).

    Raises
    ------
    ScanError
        If an output is missing or unreadable; the message lists all of them.
    """
    outputs = _ScanOutputs((folder / scan.bold_name).parent / scan.scan, output_space)
    problems = list[str]()
    n_volumes = _attempt(outputs.count_volumes, problems)
    _attempt(outputs.check_mask, problems)
    motion = _attempt(outputs.read_motion, problems)
    repetition_time = _attempt(outputs.read_repetition_time, problems)
    if n_volumes is None or motion is None or repetition_time is None or problems:
        raise ScanError(_enumerate(problems))
    if motion.n_rows != n_volumes:
        raise ScanError(f"confounds of {motion.n_rows} volumes for an image of {n_volumes}")
    return {"mean_fd": motion.mean_fd, "n_volumes": n_volumes, "repetition_time": repetition_time}


def _attempt(check: Callable[[], T], problems: list[str]) -> T | None:
    """Run a check; on failure add its message to `problems` and return None."""
    try:
        return check()
    except OutputError as problem:
        problems.append(str(problem))
        return None


def _enumerate(problems: list[str]) -> str:
    *first, last = problems
    return f"{', '.join(first)} and {last}" if first else last


def space_names(output_space: str) -> list[str]:
    """List the names of a space in file names: with resolution, and without as in old versions."""
    name, *modifiers = output_space.split(":")
    entities = [modifier for modifier in sorted(modifiers) if modifier != "res-native"]
    cohort = [entity for entity in entities if entity.startswith("cohort-")]
    full, short = ("_".join([f"space-{name}", *parts]) for parts in (entities, cohort))
    return list(dict.fromkeys([full, short]))


class _Motion(NamedTuple):
    """Mean framewise displacement (mm) and number of rows of a confounds table."""

    mean_fd: float
    n_rows: int


@dataclass(frozen=True)
class _ScanOutputs:
    """Outputs of a scan, whose names begin with `stem`; its methods raise `OutputError`."""

    stem: Path
    output_space: str

    def _find(self, endings: list[str], description: str) -> Path:
        """Return the first of several possible files that exists and is not empty."""
        for ending in endings:
            # Early versions write `run-1` where the raw image has `run-01`.
            path = beside(self.stem, f"{self.stem.name}_{ending}")
            # An interrupted write may leave an empty file.
            if path.is_file() and path.stat().st_size:
                return path
        raise OutputError(f"no {description}")

    def _in_space(self, ending: str) -> list[str]:
        return [f"{space}_{ending}" for space in space_names(self.output_space)]

    def count_volumes(self) -> int:
        """Count the volumes of the preprocessed image."""
        description = f"preprocessed BOLD image in {self.output_space}"
        path = self._find(self._in_space("desc-preproc_bold.nii.gz"), description)
        shape = _verified_shape(path, description)
        if len(shape) != 4:
            raise OutputError(f"a {description} with {len(shape)} dimensions instead of 4")
        return int(shape[3])

    def check_mask(self) -> None:
        """Check that the brain mask can be read."""
        path = self._find(self._in_space("desc-brain_mask.nii.gz"), "brain mask")
        _verified_shape(path, "brain mask")

    def read_motion(self) -> _Motion:
        """Read the confounds; the missing displacement of the first volume is ignored."""
        path = self._find([f"desc-confounds_{name}.tsv" for name in CONFOUNDS], "confounds")
        try:
            table = pd.read_csv(path, sep="\t", na_values=["n/a"])
            mean_fd = float(table["framewise_displacement"].mean())
        except (KeyError, TypeError, *UNREADABLE) as error:
            raise OutputError("confounds without a readable framewise_displacement") from error
        if not np.isfinite(mean_fd):
            raise OutputError("confounds without a readable framewise_displacement")
        return _Motion(round(mean_fd, 4), len(table))

    def read_repetition_time(self) -> float:
        """Read the repetition time (s) from the sidecar."""
        path = self._find(self._in_space("desc-preproc_bold.json"), "sidecar of the BOLD image")
        try:
            return float(json.loads(path.read_text(encoding="utf-8"))["RepetitionTime"])
        except (KeyError, TypeError, ValueError) as error:
            raise OutputError("no RepetitionTime in the sidecar of the BOLD image") from error


def _verified_shape(path: Path, description: str) -> tuple[int, ...]:
    """Return the shape of an image after decompressing it to its end, where the checksum is."""
    try:
        shape: tuple[int, ...] = nib.load(path).shape
        with gzip.open(path) as stream:
            while stream.read(CHUNK):
                pass
    except UNREADABLE as error:
        raise OutputError(f"a {description} that cannot be read") from error
    return shape
