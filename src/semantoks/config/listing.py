"""What a plan can know of a data set without searching it: the names in its top folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

from semantoks.config.data import Dataset
from semantoks.config.folders import folders_of
from semantoks.errors import UserError

# Of scans and people; other files that are added, such as notes, change nothing.
PREFIX, SUFFIXES = "sub-", (".json", "_timeseries.parquet")


def listing_of(dataset: Dataset) -> str:
    """Hash the names in the top folder of a data set, so that `index` runs again if they change.

    Only one folder is read and no file, since a plan must not take minutes for 40,000 people on a
    network disk: changes below it are not noticed.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    str
        Empty for a simulated data set, whose folder the workflow itself writes.
    """
    if dataset.path is None:
        return ""
    return _listing(dataset.path, dataset.template, tuple(dataset.folders))


# Snakemake asks for every job, and files that are added in the course of a run wait for the next.
@cache
def _listing(path: str, template: str | None, patterns: tuple[str, ...] = ()) -> str:
    """Hash what `listing_of` says, of a folder and the template or folders of its files."""
    folder = Path(path, *_fixed_folders(template or ""))
    try:
        if folder.is_file():  # HDF5, which need not be the table of participants
            status = folder.stat()
            names = [f"{status.st_size} {status.st_mtime_ns}"]
        elif patterns:
            return _hash(_names_in(folders_of(folder, patterns), folder))
        else:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries]
    except (OSError, UserError):
        return ""  # what is not there has been refused before, or is said by `index`
    if template is None and not folder.is_file():
        names = [name for name in names if name.startswith(PREFIX) or name.endswith(SUFFIXES)]
    # The workflow writes beside the data if it runs in their folder.
    if folder.resolve() == Path.cwd():
        names = [name for name in names if name not in ("results", "logs", "resources")]
    return _hash(name for name in names if not name.startswith("."))


def _names_in(folders: Iterable[Path], root: Path) -> Iterator[str]:
    """Yield the paths of what counts in folders of participants, relative to a folder."""
    for folder in folders:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(PREFIX) or entry.name.endswith(SUFFIXES):
                    yield f"{folder.relative_to(root)}/{entry.name}"


def _hash(names: Iterable[str]) -> str:
    text = "\n".join(sorted(names))
    return hashlib.sha1(text.encode(errors="surrogateescape")).hexdigest()[:16]


def _fixed_folders(template: str) -> list[str]:
    """Return the folders of a template above the first that differs between scans."""
    folders = list[str]()
    for part in PurePosixPath(template).parts[:-1]:
        if "{" in part or "*" in part:
            break
        folders.append(part)
    return folders
