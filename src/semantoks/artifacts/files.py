"""Files that are written completely or not at all, and JSON."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semantoks.errors import UserError

PEOPLE_MODE = 0o640  # less what the umask takes away


def _temporary_name(path: Path) -> Path:
    """Name beside `path` that no other process uses; pids repeat across the nodes of a cluster."""
    # Beside `path`, because a rename is atomic only within a file system.
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")


@contextmanager
def atomic(path: Path, *, of_people: bool = False) -> Iterator[Path]:
    """Yield a temporary name beside `path` that is renamed to `path` unless an error is raised.

    Parameters
    ----------
    path : Path
    of_people : bool, optional
        The file has a row per participant or scan, so only the user and the group may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(path)
    try:
        if of_people:
            # Before there is content. Whoever opens it for writing leaves the mode as it is.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PEOPLE_MODE))
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path` that replaces `path` unless an error is raised.

    Its name is random: on a cluster a previous attempt of the same job may still be running, and
    Snakemake then deletes what that attempt has written by the output's name.
    """
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary = _temporary_name(path)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        # A rename replaces an empty folder only.
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as indented JSON with sorted keys."""
    with atomic(path) as temporary:
        text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    UserError
        When it is not valid JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(
            f"{path} is not readable JSON ({error}). Delete it and run again."
        ) from None
