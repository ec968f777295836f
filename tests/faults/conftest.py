"""Workspaces for fault injection, and a disk that can be filled or mounted read-only."""

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
    """A small separate file system."""

    folder: Path

    def fill(self) -> None:
        """Fill the disk to its last block."""
        filler = os.open(self.folder / "filler", os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(filler, b"\0" * 4096)
        os.close(filler)

    def empty(self) -> None:
        """Remove what `fill` wrote."""
        (self.folder / "filler").unlink()

    def remount(self, writable: bool) -> None:
        """Mount the disk for reading and writing, or for reading only."""
        options = "remount," + ("rw" if writable else "ro")
        subprocess.run(["mount", "-o", options, str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount a tmpfs; the test is skipped where that is not permitted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root and permission to mount a tmpfs")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)
