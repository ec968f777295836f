"""Who and what is not used, as `index` and `scans` wrote it down.

Snakemake's own process prints these lines at the end of a run, so nothing here imports pandas.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from semantoks.people.ids import NO_ROW

LISTED = 50  # scans on the terminal; all of them are in the file


def left_out_lines(results: Path, dataset: str, listed: int | None = LISTED) -> Iterator[str]:
    """Yield lines about the excluded scans of a data set and its participants without a scan.

    Parameters
    ----------
    results : Path
    dataset : str
    listed : int, optional
        Number of scans that are listed; None lists all.
    """
    table = results / "index" / dataset / "left_out.tsv"
    reasons = Counter(row["reason"] for row in _rows(table))
    for reason, count in reasons.items():
        yield f"data set {dataset}: {count} participant(s) left out: {reason} ({table})"
    table = results / "scans" / f"{dataset}_excluded.tsv"
    scans = _rows(table)
    if scans:
        yield f"data set {dataset}: {len(scans)} scan(s) excluded ({table}):"
    # Of a sample of a large data set these may be most scans, and would hide the others.
    unlisted = sum(row["reason"] == NO_ROW for row in scans)
    if unlisted:
        yield f"  {unlisted} scan(s): {NO_ROW}"
    scans = [row for row in scans if row["reason"] != NO_ROW]
    for row in scans[:listed]:
        yield f"  {row['scan']}: {row['reason']}"
    if listed is not None and len(scans) > listed:
        yield f"  … and {len(scans) - listed} more"


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))
