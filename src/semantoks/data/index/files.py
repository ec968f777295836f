"""Files of a data set, and checks that are common to all kinds of them."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pandas as pd

from semantoks.data.layout import comparable
from semantoks.gate import Gate


def version_of(*paths: Path) -> str:
    """Hash the sizes and modification times of files.

    Written to the shard tables, so that a replaced image re-runs its shard. Hashing the content
    would mean to read terabytes each time the data set is indexed.
    """
    digest = hashlib.sha1()
    for path in sorted(paths):
        try:
            status = path.stat()
        except OSError:  # a broken link; `problem_of` reports it
            continue
        name = os.fsencode(path.name)  # which need not be UTF-8
        digest.update(name + f" {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def without_duplicates(
    scans: pd.DataFrame, column: str, hint: str = "say which with `template`"
) -> pd.DataFrame:
    """Keep one row per scan, sorted; record a problem where several files are one scan.

    Scans that differ only in leading zeros of an index, such as ``run-1`` and ``run-01``, are one
    scan by BIDS; each keeps its row.

    Parameters
    ----------
    scans : DataFrame
        With ``scan`` and ``problem``.
    column : str
        Column with the file names.
    hint : str, optional
        What to do if several files are one scan.
    """
    ordered = scans.sort_values(["scan", column], ignore_index=True)
    # `run-1` and `run-01` are the same run.
    groups = ordered.groupby(ordered["scan"].map(comparable))
    files = groups[column].transform(", ".join)
    # Choosing one would make the result depend on the order of file names.
    repeated = groups["scan"].transform("size") > 1
    ordered.loc[repeated, "problem"] = f"several files of one scan ({hint}): " + files[repeated]
    return ordered.drop_duplicates("scan", ignore_index=True)


@dataclass(frozen=True)
class Files:
    """The files of a data set, in some of its folders or all."""

    gate: Gate
    folders: list[Path]

    def named(self, pattern: str) -> list[Path]:
        """Find files at any depth, sorted; `Path.rglob` does not follow links to folders."""
        walked = chain.from_iterable(map(self.gate.walk, self.folders))
        paths = {
            parent / name for parent, names in walked for name in fnmatch.filter(names, pattern)
        }
        return sorted(paths)
