"""One call of fMRIPrep: its command line, and whether everything it needs is there.

fMRIPrep itself is not part of this package: it comes as a container image, or is installed by
hand. Argument lists go to the system as they are, never through a shell, so that any name of a
folder works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from semantoks.config import Fmriprep
from semantoks.errors import UserError

REGISTRATION = "https://surfer.nmr.mgh.harvard.edu/registration.html"
PROGRAMS = {
    "docker": ("fmriprep-docker", "docker"),
    "apptainer": ("apptainer",),
    "singularity": ("singularity",),
    "native": ("fmriprep",),
}
LICENSE_INSIDE = "/opt/freesurfer/license.txt"
# More threads than this do not make a single step faster; it is fMRIPrep's own limit too.
MOST_THREADS_PER_STEP = 8


@dataclass(frozen=True)
class Call:
    """What one call works on, and what it may use.

    ``memory`` is in MB, 0 when it is not known; ``task`` None means all tasks; ``user`` is
    "uid:gid", who then owns what a docker container writes.
    """

    participants: tuple[str, ...]
    bids: Path
    out: Path
    work: Path
    license: Path
    threads: int
    memory: int
    task: str | None
    user: str


def command(call: Call, settings: Fmriprep) -> list[str]:
    """Build the argument list of one call; nothing is read or written.

    Options as in fMRIPrep 25.2.7's ``--help``, in spellings that 20.2 knows as well.
    """
    start = {"docker": _docker, "native": _native}.get(settings.runner, _container)
    return [*start(call, settings), *_options(call, settings), *settings.arguments]


def _docker(call: Call, settings: Fmriprep) -> list[str]:
    return [
        *("fmriprep-docker", str(call.bids), str(call.out), "participant", "--no-tty"),
        *("--image", f"nipreps/fmriprep:{settings.version}", "--user", call.user),
        *("--fs-license-file", str(call.license), "--work-dir", str(call.work)),
    ]


def _container(call: Call, settings: Fmriprep) -> list[str]:
    mounts = (
        f"{call.bids}:/data:ro",
        f"{call.out}:/out",
        f"{call.work}:/scratch",
        f"{call.license}:{LICENSE_INSIDE}:ro",
    )
    return [
        *(settings.runner, "run", "--cleanenv"),
        *(word for mount in mounts for word in ("--bind", mount)),
        *(str(image_of(settings)), "/data", "/out", "participant"),
        *("--fs-license-file", LICENSE_INSIDE, "--work-dir", "/scratch"),
    ]


def _native(call: Call, settings: Fmriprep) -> list[str]:
    return [
        *("fmriprep", str(call.bids), str(call.out), "participant"),
        *("--fs-license-file", str(call.license), "--work-dir", str(call.work)),
    ]


def _options(call: Call, settings: Fmriprep) -> list[str]:
    labels = [participant.removeprefix("sub-") for participant in call.participants]
    # Only in this spelling does fmriprep-docker see it, and does not ask whether to go on when
    # the docker machine is small.
    memory = ["--mem_mb", str(call.memory)] if call.memory else []
    return [
        *("--output-spaces", settings.output_space, "--participant-label", *labels),
        *(("--task-id", call.task) if call.task else ()),
        *("--nthreads", str(call.threads)),
        *("--omp-nthreads", str(min(call.threads, MOST_THREADS_PER_STEP)), *memory),
        *("--skip-bids-validation", "--notrack"),
    ]


def image_of(settings: Fmriprep) -> Path:
    """Absolute path of the image file."""
    return Path(settings.image or "").expanduser().absolute()


def check(settings: Fmriprep, folders: tuple[Path, ...]) -> Path:
    """See to it that a call can work, before the first one.

    Parameters
    ----------
    settings
        How fMRIPrep is run.
    folders
        What a container will have to see.

    Returns
    -------
    Path
        The licence file.

    Raises
    ------
    UserError
        When a program, the image or the licence is missing, docker does not answer, or a folder
        has a name that a container cannot be told.
    """
    _check_programs(settings)
    license = _find_license(settings)
    if settings.runner in ("apptainer", "singularity") and not image_of(settings).is_file():
        raise UserError(
            f"{settings.runner} needs an image of fMRIPrep, and there is no {image_of(settings)}. "
            f"Make it with `{settings.runner} build {image_of(settings).name} "
            f"docker://nipreps/fmriprep:{settings.version}` and name it as "
            "preprocessing.fmriprep.image in config.yaml."
        )
    if settings.runner != "native":
        _check_names((*folders, license), "," if settings.runner != "docker" else "")
    return license


def _check_programs(settings: Fmriprep) -> None:
    for program in PROGRAMS[settings.runner]:
        if shutil.which(program) is None:
            raise UserError(
                f"Runner '{settings.runner}' needs the program {program}, which is not on PATH. "
                "Install it, or set another preprocessing.fmriprep.runner in config.yaml "
                "(docker, apptainer, singularity, native)."
            )
    if settings.runner == "docker":
        answer = subprocess.run(["docker", "version"], capture_output=True, text=True, check=False)
        if answer.returncode:
            said = (answer.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise UserError(
                f"docker is on PATH but does not answer ({said}). Start it, or set another "
                "preprocessing.fmriprep.runner in config.yaml."
            )


def _find_license(settings: Fmriprep) -> Path:
    named = settings.license or os.environ.get("FS_LICENSE", "")
    path = Path(named).expanduser().absolute()
    if not path.is_file():
        found = f"there is no {path}" if named else "none is named"
        raise UserError(
            f"fMRIPrep needs a FreeSurfer licence file and {found}. Get one, it is free, from "
            f"{REGISTRATION} and name it as preprocessing.fmriprep.license in config.yaml or in "
            "the environment variable FS_LICENSE."
        )
    return path


def _check_names(paths: tuple[Path, ...], forbidden: str) -> None:
    for path in paths:
        for character in ":" + forbidden:
            if character in str(path):
                raise UserError(
                    f"A container cannot be given {path}, because of the '{character}' in its "
                    "name. Rename it or make a link to it without one."
                )
