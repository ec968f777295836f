"""What fMRIPrep wrote: whether it is all there, and moving it to where it belongs."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from semantoks.errors import ScanError

# fMRIPrep renamed its confounds in 20.2.
CONFOUNDS = ("timeseries", "regressors")
CHUNK = 1 << 24
# What a cut, foreign or odd file makes the libraries raise.
UNREADABLE = (OSError, EOFError, ValueError, zlib.error, nib.filebasedimages.ImageFileError)


class UselessOutputError(Exception):
    """One output that is missing or of no use; the message goes after "fMRIPrep wrote"."""


def root_of(out: Path) -> Path:
    """Folder of the derivatives: the output folder, before version 21 a folder within it."""
    legacy = out / "fmriprep"
    return legacy if legacy.is_dir() else out


def freesurfer_of(out: Path) -> Path:
    """Folder of the surfaces; before version 21 it lay beside the derivatives."""
    return out / "freesurfer" if root_of(out) != out else out / "sourcedata" / "freesurfer"


def measure(root: Path, scan: Mapping[str, Any], output_space: str) -> dict[str, Any]:
    """See whether all outputs of a scan are there and can be read, whatever fMRIPrep said.

    Parameters
    ----------
    root
        Folder of the derivatives.
    scan
        A row of the index.
    output_space
        As fMRIPrep was asked for it.

    Returns
    -------
    dict
        ``mean_fd`` (mm), ``n_volumes`` and ``repetition_time`` (s).

    Raises
    ------
    ScanError
        With everything that is missing.
    """
    stem = (root / scan["bold"]).parent / scan["scan"]
    spaces = space_names(output_space)
    found, problems = dict[str, Any](), []
    checks: dict[str, Callable[[], Any]] = {
        "n_volumes": partial(_volumes, stem, spaces, output_space),
        "mask": partial(_mask, stem, spaces),
        "motion": partial(_motion, stem),
        "repetition_time": partial(_repetition_time, stem, spaces),
    }
    for name, check in checks.items():
        try:
            found[name] = check()
        except UselessOutputError as problem:
            problems.append(str(problem))
    if problems:
        raise ScanError(_listed(problems))
    mean_fd, rows = found["motion"]
    if rows != found["n_volumes"]:
        raise ScanError(f"confounds of {rows} volumes for an image of {found['n_volumes']}")
    return {"mean_fd": mean_fd} | {key: found[key] for key in ("n_volumes", "repetition_time")}


def space_names(output_space: str) -> list[str]:
    """Names of a space in file names: with its resolution, and without, as versions differ."""
    name, *modifiers = output_space.split(":")
    named = [modifier for modifier in sorted(modifiers) if modifier != "res-native"]
    cohort = [modifier for modifier in named if modifier.startswith("cohort-")]
    full, short = ("_".join([f"space-{name}", *parts]) for parts in (named, cohort))
    return list(dict.fromkeys([full, short]))


def _find(stem: Path, endings: list[str], what: str) -> Path:
    for ending in endings:
        path = stem.with_name(f"{stem.name}_{ending}")
        if path.is_file() and path.stat().st_size:
            return path
    raise UselessOutputError(f"no {what}")


def _volumes(stem: Path, spaces: list[str], output_space: str) -> int:
    what = f"preprocessed BOLD image in {output_space}"
    path = _find(stem, [f"{space}_desc-preproc_bold.nii.gz" for space in spaces], what)
    shape = _shape(path, what)
    if len(shape) != 4:
        raise UselessOutputError(f"a {what} with {len(shape)} dimensions instead of 4")
    return int(shape[3])


def _mask(stem: Path, spaces: list[str]) -> tuple[int, ...]:
    endings = [f"{space}_desc-brain_mask.nii.gz" for space in spaces]
    return _shape(_find(stem, endings, "brain mask"), "brain mask")


def _shape(path: Path, what: str) -> tuple[int, ...]:
    """Shape of an image that can be read to its end: the checksum of gzip stands there."""
    try:
        shape: tuple[int, ...] = nib.load(path).shape
        with gzip.open(path) as stream:
            while stream.read(CHUNK):
                pass
    except UNREADABLE as error:
        raise UselessOutputError(f"a {what} that cannot be read") from error
    return shape


def _motion(stem: Path) -> tuple[float, int]:
    """Mean framewise displacement, of which the first volume has none, and number of rows."""
    path = _find(stem, [f"desc-confounds_{name}.tsv" for name in CONFOUNDS], "confounds")
    try:
        table = pd.read_csv(path, sep="\t", na_values=["n/a"])
        mean = float(table["framewise_displacement"].mean())
    except (KeyError, TypeError, *UNREADABLE) as error:
        raise UselessOutputError("confounds without a readable framewise_displacement") from error
    if not np.isfinite(mean):
        raise UselessOutputError("confounds without a readable framewise_displacement")
    return round(mean, 4), len(table)


def _repetition_time(stem: Path, spaces: list[str]) -> float:
    endings = [f"{space}_desc-preproc_bold.json" for space in spaces]
    path = _find(stem, endings, "sidecar of the BOLD image")
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["RepetitionTime"])
    except (KeyError, TypeError, ValueError) as error:
        raise UselessOutputError("no RepetitionTime in the sidecar of the BOLD image") from error


def _listed(problems: list[str]) -> str:
    *first, last = problems
    return f"{', '.join(first)} and {last}" if first else last


def move_person(out: Path, participant: str, target: Path, surfaces: bool = True) -> None:
    """Move what is about one person, and copy what is about all, from a call's output folder."""
    root = root_of(out)
    for path in _about(root, participant):
        _move(path, target / path.name)
    for path in _about(freesurfer_of(out), participant) if surfaces else []:
        _move(path, target / "sourcedata" / "freesurfer" / path.name)
    for path in root.iterdir() if root.is_dir() else []:
        if path.is_file() and not path.name.startswith("sub-"):
            shutil.copyfile(path, target / path.name)
    if (root / "logs").is_dir():
        shutil.copytree(root / "logs", target / "logs", dirs_exist_ok=True)


def _about(folder: Path, participant: str) -> list[Path]:
    named = (participant, f"{participant}.*", f"{participant}_*")
    return [path for pattern in named for path in sorted(folder.glob(pattern))]


def merge(source: Path, target: Path) -> None:
    """Move all that a folder holds into another, by renaming; what has the same name goes."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        _move(path, target / path.name)
    source.rmdir()


def _move(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink() and target.is_dir():
        merge(path, target)
    elif path.exists() or path.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
