"""Files that hand settings and lists of files to the jobs of a run.

Everybody on a machine can read the command line of a job (`ps`), and the system limits its length.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from semantoks.errors import UserError

OUR_NAME = re.compile(r"[0-9a-f]{32}\.(json|txt)")


class JobFiles:
    """Private files, each named after a hash of its content.

    So a file with another name is what tells Snakemake that settings have changed, and jobs with
    the same settings share one file.

    Parameters
    ----------
    folder : Path
        Relative to the folder of the run: a folder that is moved must not run again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: set[str] = set()

    def write(self, text: str, suffix: str) -> str:
        """Write a file unless it is there already, and return its path.

        Raises
        ------
        UserError
            When it cannot be written.
        """
        content = text.encode("utf-8", "surrogateescape")  # names of files are not always UTF-8
        name = hashlib.sha256(content).hexdigest()[:32] + suffix
        path = self.folder / name
        if name not in self._names:
            try:
                self._write(path, content)
            except OSError as error:
                raise UserError(
                    f"{path.absolute()} cannot be written ({error.strerror}). Make room, or choose "
                    "a folder of your own with --directory."
                ) from None
            self._names.add(name)
        return str(path)

    def write_names(self, names: Iterable[str]) -> str:
        """Write a list of files and return the option's value that stands for it."""
        return "@" + self.write("".join(f"{name}\n" for name in names), ".txt")

    def _write(self, path: Path, content: bytes) -> None:
        """Write a file at once, unless it has this content already."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._require_own()
        with suppress(FileNotFoundError):
            if path.read_bytes() == content:
                return
        # Atomic, because jobs on other nodes write the same file; mkstemp gives it the mode 0600.
        handle, temporary = tempfile.mkstemp(dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _require_own(self) -> None:
        """Refuse a folder that leads elsewhere or is another user's; close it to others.

        Raises
        ------
        UserError
        """
        status = self.folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            raise UserError(
                f"{self.folder.absolute()} is a link or belongs to another user; it must be a "
                "folder of yours. Remove it."
            )
        if stat.S_IMODE(status.st_mode) & 0o077:
            self.folder.chmod(0o700)

    def remove_others(self) -> None:
        """Remove what earlier runs left. Call it only while no other run is in this folder."""
        with suppress(OSError):  # they are small, and the next run tries again
            for path in () if self.folder.is_symlink() else self.folder.iterdir():
                if OUR_NAME.fullmatch(path.name) and path.name not in self._names:
                    path.unlink(missing_ok=True)
