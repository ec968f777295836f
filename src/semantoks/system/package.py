"""Where jobs import this package from."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path

import semantoks

LINK = Path(".snakemake/semantoks_package")


def importable_folder() -> Path:
    """Return a folder that holds the package `semantoks` and hides nothing else.

    Jobs have it on their ``PYTHONPATH``, so that a conda environment needs no installation of
    Semantoks. In a checkout it is ``src``. An installed package lies among others, which must not
    hide those of the job's own environment, so a folder with one link to it is made.
    """
    package = Path(semantoks.__file__).resolve().parent
    if package.parent.name == "src":
        return package.parent
    folder = (Path.cwd() / LINK).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / package.name
    if link.resolve() != package:
        link.unlink(missing_ok=True)
        link.symlink_to(package)
    return folder


@lru_cache(maxsize=1)
def commit_of_checkout() -> str:
    """Return the commit of a checkout, with ``-dirty`` if its files were changed since.

    Empty for an installed package, and where git cannot tell.
    """
    root = Path(semantoks.__file__).resolve().parents[2]
    # An installed package may lie within a repository that is somebody else's.
    if not (root / ".git").exists() or not (root / "src/semantoks").is_dir():
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
