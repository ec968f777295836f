"""Leave out concatenations of runs that are in the data set too: their volumes would count twice.

XCP-D (``--combine-runs``) and DCAN's pipelines write the concatenation of the runs of a task beside
them, under the same name without ``run``; XCP-D concatenates across ``dir`` as well.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from semantoks.data.index.bids_files import BidsFile
from semantoks.data.index.inheritance import EXTENSIONS, Inheritance
from semantoks.data.layout import comparable, dataset_of, entities_of, is_xcpd
from semantoks.errors import ScanError

log = logging.getLogger(__name__)
ACROSS = ("run", "dir")  # entities that the name of a concatenation lacks


def without_concatenations(scans: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Record a problem of scans that are concatenations of others.

    The sidecar of a concatenation names the runs among its ``Sources``. Where it does not say, a
    table without ``run`` beside two or more others is taken for a concatenation if these include
    run 1, or have no number. fMRIPrep does not concatenate, so its images need a sidecar.

    Parameters
    ----------
    scans : DataFrame
        With ``scan``, ``file`` and ``problem``.
    folder : Path
        Data set that ``file`` is relative to.
    """
    by_name = {
        scan: entities_of(comparable(scan))
        for scan, file in zip(scans["scan"], scans["file"], strict=True)
        if file.endswith(EXTENSIONS)  # a Parquet file has the runs that it was made of
    }
    groups = defaultdict[str, list[str]](list)
    for scan, entities in by_name.items():
        groups[_without_run(entities)].append(scan)
    sources, problems = _Sources(), list[str]()
    for scan, file, problem in scans[["scan", "file", "problem"]].itertuples(index=False):
        entities = by_name.get(scan, {})
        group = groups.get(_without_run(entities), [])
        parts = [other for other in group if _is_part(by_name[other], entities)]
        # A file that cannot be used has a reason already.
        is_open = bool(parts) and not problem
        problems.append(_problem(scan, folder / file, parts, sources) if is_open else problem)
    changed = scans.loc[scans["problem"] != problems, "scan"]
    if len(changed):
        log.warning(
            "%d scan(s) are left out as concatenations of runs that are there too, such as %s",
            *(len(changed), changed.iloc[0]),
        )
    return scans.assign(problem=problems)


def _without_run(entities: Mapping[str, str]) -> str:
    return "_".join(f"{key}-{value}" for key, value in entities.items() if key not in ACROSS)


def _is_part(part: Mapping[str, str], whole: Mapping[str, str]) -> bool:
    """Whether a name has what the other has, and ``run`` or ``dir`` besides."""
    return "run" not in whole and part.items() > whole.items()


@dataclass(frozen=True)
class _Sources:
    """Reads what the sidecars of files name as their sources."""

    data_sets: dict[Path, Inheritance] = field(default_factory=dict)

    def of(self, file: Path) -> str:
        root = dataset_of(file)
        data_set = self.data_sets.setdefault(root, Inheritance(root, ("Sources",)))
        try:
            stated = data_set.of(BidsFile.of(file.relative_to(root).as_posix()))
        except ScanError:  # a broken sidecar is the reason of its scan when it is read
            return ""
        return comparable(str(stated["Sources"].value)) if "Sources" in stated else ""


def _problem(scan: str, file: Path, parts: list[str], sources: _Sources) -> str:
    """Return why a file is left out, if it is the concatenation of others."""
    listed = f"{', '.join(parts[:4])}{', …' if len(parts) > 4 else ''}"
    stated = sources.of(file)
    if any(f"{comparable(part)}_" in stated for part in parts):
        return f"concatenation of runs that are scans of their own ({listed})"
    numbers = [entities_of(comparable(part)).get("run", "1") for part in parts]
    is_made_of_itself = f"{scan}_" in stated
    is_image = "_bold." in file.name and not is_xcpd(file)
    if is_made_of_itself or is_image or len(parts) < 2 or "1" not in numbers:
        return ""
    return (
        f"probably the concatenation of {listed}, since its name has no run; if it is a run of its "
        "own, rename it, or choose files by `template` of the data set"
    )
