"""Published atlas files: taken from a local folder or downloaded once, and verified by hash."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from semantoks.artifacts.provenance import sha256
from semantoks.errors import UserError, disk_sentence

TIMEOUT = 60  # seconds without a response


class SourceRecord(TypedDict, total=False):
    """One source of an atlas, as stored in its JSON file.

    Attributes
    ----------
    file : str
        File name, or a path for a custom atlas.
    url : str
    sha256 : str
    doi : str
        Publication, for sources that are not a file.
    """

    file: str
    url: str
    sha256: str
    doi: str


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes
    ----------
    name : str
        Published file name.
    sha256 : str
    urls : tuple of str
        Tried in order; the first is pinned to a commit where the publisher has commits.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]

    @property
    def record(self) -> SourceRecord:
        """Entry for this file in the JSON file of an atlas."""
        return {"file": self.name, "url": self.urls[0], "sha256": self.sha256}


def fetch(source: Source, atlas_dir: Path | None) -> Path:
    """Find a file below `atlas_dir`, or download it into the user's cache if that is None.

    Returns
    -------
    Path
        A file whose hash matches.

    Raises
    ------
    UserError
        When the file is missing, cannot be downloaded or has a different hash.
    """
    if atlas_dir is None:
        return _download(source)
    candidates = find(atlas_dir, source.name)
    if not candidates:
        raise UserError(
            f"atlas_dir ({atlas_dir}) does not contain {source.name}. Download it from "
            f"{source.urls[0]} into that folder, or remove `atlas_dir` to have it downloaded."
        )
    # A folder may hold several versions of a file; the one with the right hash is used.
    for path in candidates:
        if sha256(path) == source.sha256:
            return path
    first = candidates[0]
    raise _wrong_hash(source.name, str(first), source.sha256, sha256(first))


def find(atlas_dir: Path, name: str) -> list[Path]:
    """Return the files of that name anywhere below a folder, sorted.

    Raises
    ------
    UserError
        When the folder does not exist.
    """
    if not atlas_dir.is_dir():
        raise UserError(f"atlas_dir: the folder {atlas_dir} does not exist. Correct its path.")
    return sorted(path for path in atlas_dir.rglob(name) if path.is_file())


def _download(source: Source) -> Path:
    """Download from the first URL that serves the expected file."""
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    problem = UserError()
    for url in source.urls:
        try:
            path = pooch.retrieve(
                url,
                known_hash=f"sha256:{source.sha256}",
                # pooch's default name has a hash of the URL: a fallback URL would miss the cache.
                fname=source.name,
                path=pooch.os_cache("semantoks"),
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
            )
            return Path(path)
        except ValueError as error:  # pooch raises it for a hash mismatch
            problem = _wrong_hash(source.name, url, source.sha256, _last_hash(str(error)))
        except OSError as error:  # base class of the exceptions of requests
            problem = unreachable(source.name, url, error)
    raise problem


def unreachable(name: str, url: str, error: Exception) -> UserError:
    """Return the error for a failed download, with advice for machines without network access."""
    if isinstance(error, OSError) and error.filename:
        return UserError(
            f"{name} could not be stored: {disk_sentence(error)} XDG_CACHE_HOME names the folder "
            "of downloads (TEMPLATEFLOW_HOME those of TemplateFlow)."
        )
    # requests ends its messages with the URL, which the sentence already contains.
    detail = str(error).split(" for url")[0]
    reason = type(error).__name__ + (f": {detail}" if len(detail) < 100 else "")
    return UserError(
        f"{name} could not be downloaded from {url} ({reason}). On a machine without network "
        "access, set `atlas_dir` to a folder that contains the file(s)."
    )


def _wrong_hash(name: str, where: str, expected: str, actual: str) -> UserError:
    return UserError(
        f"{name} ({where}) is not the published file: its SHA-256 should begin with "
        f"{expected[:12]} but begins with {actual[:12]}. Delete it and download it again."
    )


def _last_hash(message: str) -> str:
    """Return the hash of the downloaded file, which pooch's message names last."""
    return ([*re.findall(r"[0-9a-f]{64}", message)] or ["unknown"])[-1]
