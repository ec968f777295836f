"""The BOLD runs of a raw BIDS data set."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pandas as pd

from semantoks.config import EntityFilter, IndexedDataset
from semantoks.config.folders import folders_hint, folders_of
from semantoks.data.index.bids_files import BidsFile, RawDataset
from semantoks.data.index.files import version_of, without_duplicates
from semantoks.data.index.raw.anatomy import Anatomy, require_selected
from semantoks.data.index.raw.copies import in_one_folder, without_copies
from semantoks.data.index.raw.entities import MAGNITUDE, describe, selects
from semantoks.data.index.raw.headers import Header
from semantoks.data.index.raw.sidecars import Metadata, Sidecars
from semantoks.data.index.shards import RawScan, scan_table
from semantoks.errors import ScanError, UserError
from semantoks.gate import Gate

DUPLICATE = "list the others in .bidsignore"


def find_raw_scans(
    bids: Path, dataset: IndexedDataset, *, by_fmriprep: bool = False
) -> pd.DataFrame:
    """List the BOLD runs of a BIDS data set with what is needed to preprocess them.

    Parameters
    ----------
    bids : Path
    dataset : IndexedDataset
        ``task`` and ``entities`` select the runs, ``t1w_entities`` the T1w images.
    by_fmriprep : bool, optional
        FMRIPrep combines echoes, and the T1w images of a participant. Otherwise runs with several
        echoes have a problem, and the choice of the T1w image is said.

    Returns
    -------
    DataFrame
        The columns of `RawScan`, one row per run, sorted.

    Raises
    ------
    UserError
        When there are no such runs or T1w images.
    """
    with Gate(bids, [Path(folder) for folder in dataset.link_targets]) as gate:
        data_sets = [RawDataset(gate, folder) for folder in folders_of(bids, dataset.folders)]
        images = [data_set.images() for data_set in data_sets]
        task: EntityFilter = {} if dataset.task is None else {"task": dataset.task}
        bold = _select(gate, images, task | dataset.entities)
        anatomies = [
            Anatomy.of(data_set.root, listed, dataset.t1w_entities)
            for data_set, listed in zip(data_sets, images, strict=True)
        ]
        require_selected(bids, chain.from_iterable(images), dataset.t1w_entities, anatomies)
        scans = list[RawScan]()
        for data_set, anatomy, selected in zip(data_sets, anatomies, bold, strict=True):
            source = _Source(gate, Sidecars(data_set), anatomy, by_fmriprep)
            runs = _by_run(selected, separate_echoes="echo" in dataset.entities)
            scans += [source.describe(echoes) for echoes in runs]
        gate.require_followed(scan.problem for scan in scans)
        gate.report()
    for anatomy in () if by_fmriprep else anatomies:
        anatomy.report()
    table = scan_table(scans, RawScan)
    if len(data_sets) > 1:
        table = in_one_folder(without_copies(table, bids), bids, by_fmriprep=by_fmriprep)
    return without_duplicates(table, "bold", DUPLICATE)


def _select(
    gate: Gate, images: Sequence[list[BidsFile]], chosen: EntityFilter
) -> list[list[BidsFile]]:
    """Select the BOLD images of each folder."""
    # Complex-valued acquisitions have a magnitude and a phase image of each run.
    wanted = MAGNITUDE | chosen
    bold = [
        [x for x in listed if x.suffix == "bold" and selects(wanted, x.entities)]
        for listed in images
    ]
    if any(bold):
        return bold
    gate.require_followed([])
    every = [x.path for x in chain.from_iterable(images) if x.suffix == "bold"]
    named = f" with {describe(chosen)}" if chosen else ""
    example = f" (one of {len(every)} others is {every[0]})" if every else ""
    hint = "" if any(images) else folders_hint(gate.root)
    raise UserError(
        f"{gate.root} has no BOLD image{named} with a BIDS name (sub-*/func/*_bold.nii.gz)"
        f"{example}. {hint or 'Correct `path`, `task` or `entities` of the data set.'}"
    )


def _by_run(bold: Iterable[BidsFile], *, separate_echoes: bool) -> list[list[BidsFile]]:
    """Group the echoes of runs; files that differ in nothing else stay apart."""
    runs = defaultdict(list)
    for image in bold:
        echo = "" if separate_echoes else image.entities.get("echo", "")
        # Without its echo a file is a run of its own, even if its name occurs twice.
        name = _without_echo(image.stem) if echo else image.path
        runs[Path(image.path).parent, name].append(image)
    return list(runs.values())


def _without_echo(stem: str) -> str:
    return "_".join(part for part in stem.split("_") if not part.startswith("echo-"))


@dataclass(frozen=True)
class _Source:
    """What all runs of a data set have in common."""

    gate: Gate
    sidecars: Sidecars
    anatomy: Anatomy
    by_fmriprep: bool

    def describe(self, echoes: list[BidsFile]) -> RawScan:
        """Collect what preprocessing needs about a run."""
        first, entities = echoes[0], echoes[0].entities
        # fMRIPrep leaves out the echo in the names of its outputs.
        combined = "echo" in entities and (self.by_fmriprep or len(echoes) > 1)
        t1w = "" if first.problem else self.anatomy.of_run(first)
        # Preprocessing reads the T1w image too, so its changes and broken links count.
        root = self.sidecars.dataset.root
        needed = [root / name for name in (*(echo.path for echo in echoes), t1w) if name]
        folder = root.relative_to(self.gate.root)
        metadata, problem = self._metadata(echoes)
        timing = metadata.slice_timing
        name = first.stem.removesuffix("_bold")
        return RawScan(
            scan=_without_echo(name) if combined else name,
            participant_id=f"sub-{entities.get('sub', '')}",
            session=f"ses-{entities['ses']}" if "ses" in entities else "",
            task=entities.get("task", ""),
            run=entities.get("run", ""),
            bold=(folder / first.path).as_posix(),
            t1w=t1w and (folder / t1w).as_posix(),
            repetition_time=metadata.repetition_time,
            slice_timing="" if timing is None else json.dumps(timing),
            slice_encoding_direction=metadata.slice_encoding_direction,
            version=version_of(*needed),
            problem=(
                first.problem
                or self._problem_of_echoes(echoes)
                or next(filter(None, map(self._problem_of_file, needed)), problem)
            ),
        )

    def _metadata(self, echoes: list[BidsFile]) -> tuple[Metadata, str]:
        """Read the sidecars of a run; what is wrong with them is a problem of this run alone."""
        try:
            first, *others = [self.sidecars.of(echo) for echo in echoes]
        except ScanError as error:
            return Metadata(), str(error)
        trs = [first.repetition_time, *(other.repetition_time for other in others)]
        if any(tr != trs[0] and not math.isnan(tr + trs[0]) for tr in trs):
            return first, f"the sidecars of its echoes have different RepetitionTimes ({trs})"
        return first, ""

    def _problem_of_echoes(self, echoes: list[BidsFile]) -> str:
        if len(echoes) == 1 or self.by_fmriprep:
            return ""
        return (
            f"a run of {len(echoes)} echoes, which the built-in engine does not combine (use "
            "`engine: fmriprep`, or choose an echo by `entities: {echo: 2}` of the data set)"
        )

    def _problem_of_file(self, path: Path) -> str:
        problem = self.gate.problem_of(path)
        if not problem and not Header.of(path).is_oriented:
            # nibabel would make up an affine, in which left and right may be swapped.
            problem = f"{path.name} has no orientation (qform and sform are not set)"
        return problem
