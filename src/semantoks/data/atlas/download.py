"""Files of published atlases: found in a local folder, or downloaded once, always by their hash."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from semantoks.artifacts.provenance import sha256
from semantoks.errors import UserError

TIMEOUT = 60  # s without an answer


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes
    ----------
    name : str
        File name, as published.
    sha256 : str
    urls : tuple of str
        Tried in turn; the first is pinned to a commit where the publisher has commits.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]

    @property
    def about(self) -> dict[str, str]:
        """What the JSON file beside an atlas says of it."""
        return {"file": self.name, "url": self.urls[0], "sha256": self.sha256}


def fetch(source: Source, atlas_dir: Path | None) -> Path:
    """Find a file below `atlas_dir` or, without one, download it into the user's cache.

    Raises
    ------
    UserError
        When it is not there, cannot be fetched, or has another content than expected.
    """
    if atlas_dir is None:
        return _download(source)
    found = find(atlas_dir, source.name)
    if not found:
        raise UserError(
            f"There is no {source.name} below atlas_dir ({atlas_dir}). Get it from "
            f"{source.urls[0]}, or leave `atlas_dir` out to have it downloaded."
        )
    good = [path for path in found if sha256(path) == source.sha256]
    if not good:
        raise _wrong(source.name, str(found[0]), source.sha256, sha256(found[0]))
    return good[0]


def find(atlas_dir: Path, name: str) -> list[Path]:
    """Files of that name below a folder."""
    if not atlas_dir.is_dir():
        raise UserError(f"atlas_dir: there is no folder {atlas_dir}. Name an existing one.")
    return sorted(path for path in atlas_dir.rglob(name) if path.is_file())


def _download(source: Source) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    problem = UserError()
    for url in source.urls:
        try:
            path = pooch.retrieve(
                url,
                known_hash=f"sha256:{source.sha256}",
                fname=source.name,
                path=pooch.os_cache("semantoks"),
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
            )
            return Path(path)
        except ValueError as error:  # pooch's word for a wrong hash
            problem = _wrong(source.name, url, source.sha256, _last_hash(str(error)))
        except OSError as error:  # requests' errors are among them
            problem = unreachable(source.name, url, error)
    raise problem


def unreachable(name: str, url: str, error: Exception) -> UserError:
    """Say what was to be fetched, from where, and what to do without a network."""
    detail = str(error).split(" for url")[0]
    reason = type(error).__name__ + (f": {detail}" if len(detail) < 100 else "")
    return UserError(
        f"{name} could not be fetched from {url} ({reason}); on a machine without network, let "
        "`atlas_dir` name a folder with the file(s)."
    )


def _wrong(name: str, where: str, expected: str, found: str) -> UserError:
    return UserError(
        f"{name} ({where}) is not the published file: its SHA-256 should begin with "
        f"{expected[:12]} and begins with {found[:12]}. Delete it and fetch it anew."
    )


def _last_hash(message: str) -> str:
    return ([*re.findall(r"[0-9a-f]{64}", message)] or ["something else"])[-1]
