"""Install packages with encoders, as pip would do it, into a folder of a test."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.workspaces import ROOT

EXAMPLE = ROOT / "docs/example_encoder"


def install_example(folder: Path) -> Path:
    """Build the wheel of the documented example and unpack it into a folder."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=EXAMPLE, check=True, capture_output=True)
    return unpack(next((folder / "dist").glob("*.whl")), folder / "site")


def unpack(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def install(folder: Path, code: str, version: str = "1.0", package: str = "toy") -> Path:
    """Write a package of one module with an encoder `toy`, and its metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{package}.py").write_text(code)
    information = folder / f"{package}-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    )
    (information / "entry_points.txt").write_text(f"[semantoks.encoders]\ntoy = {package}:make\n")
    return folder
