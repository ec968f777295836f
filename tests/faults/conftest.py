"""Workspaces for faults, and a disk that can be filled or made read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workspaces import finished, fresh, shared_folder, simulated, workspace

__all__ = ["finished", "fresh", "shared_folder", "simulated", "workspace"]


@dataclass(frozen=True)
class Disk:
    """A small file system of its own."""

    folder: Path

    def fill(self) -> None:
        """Leave no room."""
        filler = os.open(self.folder / "filler", os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(filler, b"\0" * 4096)
        os.close(filler)

    def empty(self) -> None:
        """Make room again."""
        (self.folder / "filler").unlink()

    def writable(self, yes: bool) -> None:
        """Mount it for reading and writing, or for reading only."""
        how = "remount," + ("rw" if yes else "ro")
        subprocess.run(["mount", "-o", how, str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A tmpfs; skipped where nothing may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to mount a tmpfs")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)
