"""Check, before the first call, that everything fMRIPrep needs is there.

fMRIPrep is not a dependency of this package: users provide a container image or install it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from semantoks.config import Fmriprep
from semantoks.data.preprocess.fmriprep.command import image_file
from semantoks.errors import UserError

REGISTRATION = "https://surfer.nmr.mgh.harvard.edu/registration.html"
PROGRAMS = {
    "docker": ("fmriprep-docker", "docker"),
    "apptainer": ("apptainer",),
    "singularity": ("singularity",),
    "native": ("fmriprep",),
}


def check_prerequisites(
    settings: Fmriprep, folders: Iterable[Path], link_targets: Sequence[Path] = ()
) -> Path:
    """Check programs, container image, licence and folder names.

    Parameters
    ----------
    settings : Fmriprep
    folders : iterable of Path
        Folders that a container has to mount.
    link_targets : sequence of Path
        Folders outside the data set that its links lead to.

    Returns
    -------
    Path
        The FreeSurfer licence file.

    Raises
    ------
    UserError
        If a program, the image or the licence is missing, docker does not answer, or the name of a
        folder cannot be written as a mount.
    """
    if link_targets and settings.runner == "docker":
        # Its wrapper mounts the data set at /data and nothing else.
        raise UserError(
            f"Links of the data set lead to {link_targets[0]}, which fmriprep-docker cannot mount. "
            "Set preprocessing.fmriprep.runner in config.yaml to apptainer, singularity or native, "
            "or name a data set that has its files in its own folder."
        )
    _check_programs(settings)
    license_file = _find_license(settings)
    _check_image(settings)
    if settings.runner != "native":
        # apptainer's --bind takes several mounts, separated by commas.
        _check_names((*folders, license_file), ":" if settings.runner == "docker" else ":,")
    return license_file


def _check_programs(settings: Fmriprep) -> None:
    """Check that the runner's programs are on PATH, and that the docker daemon answers."""
    for program in PROGRAMS[settings.runner]:
        if shutil.which(program) is None:
            raise UserError(
                f"Runner '{settings.runner}' needs the program {program}, which is not on PATH. "
                "Install it, or set another preprocessing.fmriprep.runner in config.yaml "
                "(docker, apptainer, singularity, native)."
            )
    if settings.runner == "docker":
        # `docker version` asks the daemon; `docker --version` would ask the client only.
        answer = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
        if answer.returncode:
            reason = (answer.stderr.strip().splitlines() or ["no error message"])[-1]
            raise UserError(
                f"docker is on PATH but its daemon does not answer ({reason}). Start it, or set "
                "another preprocessing.fmriprep.runner in config.yaml."
            )


def _find_license(settings: Fmriprep) -> Path:
    name = settings.license or os.environ.get("FS_LICENSE", "")
    path = Path(name).expanduser().absolute()
    if not path.is_file():
        lacking = f"{path} does not exist" if name else "none is configured"
        raise UserError(
            f"fMRIPrep needs a FreeSurfer licence file, but {lacking}. Get a free licence from "
            f"{REGISTRATION} and set preprocessing.fmriprep.license in config.yaml or the "
            "environment variable FS_LICENSE to its path."
        )
    return path


def _check_image(settings: Fmriprep) -> None:
    image = image_file(settings)
    if settings.runner in ("apptainer", "singularity") and not image.is_file():
        raise UserError(
            f"{settings.runner} needs an image of fMRIPrep, but {image} does not exist. Build it "
            f"with `{settings.runner} build {image.name} "
            f"docker://nipreps/fmriprep:{settings.version}` and set "
            "preprocessing.fmriprep.image in config.yaml to its path."
        )


def _check_names(paths: Iterable[Path], separators: str) -> None:
    for path in paths:
        for character in separators:
            if character in str(path):
                raise UserError(
                    f"A container cannot mount {path}, because '{character}' in its name separates "
                    "the parts of a mount. Rename it, or use a symbolic link without that "
                    "character."
                )
