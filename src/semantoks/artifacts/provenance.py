"""Provenance: a JSON sidecar beside each artifact, and checksums that are checked on reading."""

from __future__ import annotations

import hashlib
import platform
import resource
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from semantoks import __version__
from semantoks.artifacts.files import read_json, write_json
from semantoks.errors import UserError

SUFFIX = ".provenance.json"
# Simulated data are data: users may edit them like their own, so checksums do not protect them.
UNPROTECTED_STAGE = "simulate"
REPRODUCIBLE = ("results", "resources")  # folders whose files can be made again
IGNORED = ("sourcedata", "logs")  # subfolders of derivatives that no stage reads


def sha256(path: Path) -> str:
    """Hash a file, or the names and contents of all files of a folder."""
    if not path.is_dir():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    digest = hashlib.sha256()
    # Sorted, because the order of rglob depends on the file system. Contents are read in full:
    # nibabel stops before the checksum of gzip, so it would miss some damage.
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        # Snakemake puts a hidden timestamp file into folders.
        if file.is_file() and name.parts[0] not in IGNORED and not name.name.startswith("."):
            # A name cannot contain NUL, so different folders cannot give the same bytes.
            digest.update(f"{name}\0{sha256(file)}\0".encode())
    return digest.hexdigest()


def sidecar(path: Path) -> Path:
    """Name of the sidecar of an artifact."""
    return path.with_name(path.name + SUFFIX)


def verified(inputs: Sequence[Path]) -> dict[str, str]:
    """Hash the inputs of a stage and compare them with the checksums in their sidecars.

    Returns
    -------
    dict of str to str
        SHA-256 by path.

    Raises
    ------
    UserError
        When an input has changed since it was written. In the folders of `REPRODUCIBLE` it is
        renamed, so that the same command makes it again. Also when it is gone, which is what a
        second job sees that reads the same file at the same time.
    """
    hashes: dict[str, str] = {}
    for path in inputs:
        try:
            hashes[str(path)] = sha256(path)
        except FileNotFoundError:
            raise UserError(
                f"{path} is no longer there: it was deleted, or another job found it damaged and "
                "renamed it. Run the same command again to make it again."
            ) from None
    for path in inputs:
        if _recorded_hash(path) not in (None, hashes[str(path)]):
            raise UserError(_report_changed(path))
    return hashes


def _recorded_hash(path: Path) -> str | None:
    """Hash in the sidecar of an artifact; None for data.

    A damaged sidecar gives an empty hash, which no file has: then the artifact cannot be trusted.
    """
    if not sidecar(path).exists():
        return None
    try:
        content = read_json(sidecar(path))
        return None if content["stage"] == UNPROTECTED_STAGE else str(content["sha256"])
    except (UserError, KeyError, TypeError):
        return ""


def _report_changed(path: Path) -> str:
    """Rename a changed file if it can be made again, and return the error message."""
    changed = f"{path} does not match its checksum: it was damaged or edited."
    # Rules pass paths relative to the folder of the run; an absolute path is the user's.
    if path.parts[0] not in REPRODUCIBLE:  # a given model, or data
        return (
            f"{changed} Restore the original, or, if the file is right as it is, delete "
            f"{sidecar(path)}."
        )
    return (
        f"{changed} It is now called {_set_aside(path).name}; run the same command again to make "
        "it again."
    )


def _set_aside(path: Path) -> Path:
    """Rename a damaged artifact; several jobs may do so at the same time."""
    target = path.with_name(f"{path.name}.damaged")
    with suppress(FileNotFoundError):
        if path.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        path.replace(target)
    return target


def record(
    output: Path,
    stage: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, str],
    seconds: float,
) -> None:
    """Write the sidecar of an artifact.

    Parameters
    ----------
    output : Path
    stage : str
        Sub-command that wrote it.
    settings : mapping
    inputs : mapping of str to str
        SHA-256 of each input file.
    seconds : float
        Run time of the stage.
    """
    content = {
        "stage": stage,
        "software": {"semantoks": __version__, "python": platform.python_version()},
        "settings": dict(settings),
        "inputs": dict(inputs),
        "sha256": sha256(output),
        "seconds": round(seconds, 2),
        "peak_memory_mb": _peak_memory(),
    }
    write_json(sidecar(output), content)


def _peak_memory() -> int:
    """Largest resident memory in MB of this process, or of one of its children."""
    scopes = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    # ru_maxrss is in kB on Linux (in bytes on macOS).
    return max(resource.getrusage(scope).ru_maxrss for scope in scopes) // 1024
