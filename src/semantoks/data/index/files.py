"""What the tables of all sources say of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd


def version_of(*paths: Path) -> str:
    """Hash sizes and times of files: one that is replaced changes its shard's table, unread."""
    digest = hashlib.sha1()
    for path in sorted(paths):
        try:
            about = path.stat()
        except OSError:  # a link to nothing
            continue
        digest.update(f"{path.name} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def problem_of(path: Path) -> str:
    """Say why a file cannot be used without looking into it; empty where nothing is wrong."""
    if path.exists():
        return ""
    return f"{path.name} is a link to a file that is not here (annexed? fetch it: datalad get)"


def without_duplicates(scans: pd.DataFrame, column: str) -> pd.DataFrame:
    """Keep one row per scan, sorted; a scan in several files has that as its problem.

    Parameters
    ----------
    scans : DataFrame
        With ``scan`` and ``problem``.
    column : str
        The column that names the file.
    """
    ordered = scans.sort_values(["scan", column], ignore_index=True)
    files = ordered.groupby("scan")[column].transform(lambda names: ", ".join(names))
    twice = ordered["scan"].duplicated(keep=False)
    ordered.loc[twice, "problem"] = (
        "several files of one scan (say which with `template`): " + files[twice]
    )
    return ordered.drop_duplicates("scan", ignore_index=True)
