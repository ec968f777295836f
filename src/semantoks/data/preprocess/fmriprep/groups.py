"""How the scans of a shard are divided into calls of fMRIPrep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from semantoks.data.index.shards import RawScan
from semantoks.data.layout import split_at_participant


def has_labels(scan: RawScan) -> bool:
    """Whether what goes to the command line are labels of BIDS, and not options, say."""
    labels = [scan.participant_id.removeprefix("sub-"), *filter(None, [scan.task])]
    return all(re.fullmatch("[A-Za-z0-9]+", label) for label in labels)


def participants_of(scans: Sequence[RawScan]) -> Mapping[str, list[RawScan]]:
    """Group scans by participant."""
    participants: dict[str, list[RawScan]] = {}
    for scan in scans:
        participants.setdefault(scan.participant_id, []).append(scan)
    return participants


def groups_of(
    names: Sequence[str], scans: Mapping[str, Sequence[RawScan]], size: int
) -> list[list[str]]:
    """Divide participants into calls; a call has a single BIDS data set."""
    by_folder: dict[str, list[str]] = {}
    for name in names:
        folder, _ = split_at_participant(scans[name][0].bold)
        by_folder.setdefault(folder, []).append(name)
    return [
        of_folder[first : first + size]
        for of_folder in by_folder.values()
        for first in range(0, len(of_folder), size)
    ]


def common_task(scans: Sequence[RawScan]) -> str | None:
    """Return the task of all scans; None if there are several, or scans without one."""
    tasks = {scan.task for scan in scans}
    return tasks.pop() or None if len(tasks) == 1 else None
