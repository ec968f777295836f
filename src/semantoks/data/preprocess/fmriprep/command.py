"""Command line of fMRIPrep for each way of running it.

Argument lists are passed to the system without a shell, so that folders may have any name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semantoks.config import Fmriprep

LICENSE_IN_CONTAINER = "/opt/freesurfer/license.txt"
# fMRIPrep's own limit: more threads do not make any of its steps faster.
MAX_THREADS_PER_STEP = 8


@dataclass(frozen=True)
class Call:
    """Inputs, outputs and resources of one call of fMRIPrep.

    Attributes
    ----------
    participants : tuple of str
        With the prefix ``sub-``.
    bids, out, work, license : Path
    threads : int
    memory : int
        MB, 0 if unknown.
    task : str or None
        None for all tasks.
    user : str
        "uid:gid" of the owner of what a docker container writes.
    filters : Path or None
        File in `work` with filters of images, see `bids_filters`.
    stores : tuple of Path
        Folders outside the data set that its links lead to.
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
    filters: Path | None = None
    stores: tuple[Path, ...] = ()


def command(call: Call, settings: Fmriprep) -> list[str]:
    """Build the argument list of a call.

    Options are spelled so that fMRIPrep 20.2 accepts them as well as 25.2.7.
    """
    start = {"docker": _docker, "native": _native}.get(settings.runner, _container)
    return [*start(call, settings), *_options(call, settings), *settings.arguments]


def _docker(call: Call, settings: Fmriprep) -> list[str]:
    return [
        *("fmriprep-docker", str(call.bids), str(call.out), "participant", "--no-tty"),
        # Without --user, files that the container writes belong to root.
        *("--image", f"nipreps/fmriprep:{settings.version}", "--user", call.user),
        *("--fs-license-file", str(call.license), "--work-dir", str(call.work)),
        *_filter_option(call.filters),  # the wrapper mounts the file
    ]


def _container(call: Call, settings: Fmriprep) -> list[str]:
    """Run an image file, with the folders of the call at fixed places.

    A data set with links to elsewhere is where it is outside the container: from another place,
    relative links would lead nowhere.
    """
    data = str(call.bids.resolve()) if call.stores else "/data"
    mounts = (
        f"{call.bids}:{data}:ro",
        *(f"{store}:{store}:ro" for store in call.stores),
        f"{call.out}:/out",
        f"{call.work}:/scratch",
        f"{call.license}:{LICENSE_IN_CONTAINER}:ro",
    )
    return [
        # --cleanenv keeps the host's variables, such as PYTHONPATH, out of the container.
        *(settings.runner, "run", "--cleanenv"),
        *(word for mount in mounts for word in ("--bind", mount)),
        *(str(image_file(settings)), data, "/out", "participant"),
        *("--fs-license-file", LICENSE_IN_CONTAINER, "--work-dir", "/scratch"),
        *_filter_option(call.filters and Path("/scratch", call.filters.name)),
    ]


def _native(call: Call, settings: Fmriprep) -> list[str]:
    return [
        *("fmriprep", str(call.bids), str(call.out), "participant"),
        *("--fs-license-file", str(call.license), "--work-dir", str(call.work)),
        *_filter_option(call.filters),
    ]


def _filter_option(file: Path | None) -> list[str]:
    return ["--bids-filter-file", str(file)] if file else []


def _options(call: Call, settings: Fmriprep) -> list[str]:
    labels = [participant.removeprefix("sub-") for participant in call.participants]
    # fmriprep-docker recognises only the spelling --mem_mb, and without it prompts for confirmation
    # on machines with little memory.
    memory = ["--mem_mb", str(call.memory)] if call.memory else []
    return [
        *("--output-spaces", settings.output_space, "--participant-label", *labels),
        # Glued: a task that began with a dash would otherwise be an option.
        *((f"--task-id={call.task}",) if call.task else ()),
        *("--nthreads", str(call.threads)),
        *("--omp-nthreads", str(min(call.threads, MAX_THREADS_PER_STEP)), *memory),
        *("--skip-bids-validation", "--notrack"),
    ]


def image_file(settings: Fmriprep) -> Path:
    """Return the absolute path of the container image (.sif)."""
    return Path(settings.image or "").expanduser().absolute()
