"""The scans of data sets that start from preprocessed images or from time series."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.config import ENTITIES, IndexedDataset
from semantoks.data.hdf5 import is_hdf5, read_ids
from semantoks.data.index.bids_files import BidsFile
from semantoks.data.index.concatenations import without_concatenations
from semantoks.data.index.files import problem_of, version_of, without_duplicates
from semantoks.data.index.inheritance import Inheritance
from semantoks.data.index.shards import DerivativeScan, scan_table
from semantoks.data.index.templates import find_by_template
from semantoks.data.layout import (
    IMAGE_PATTERNS,
    MASKS,
    PARCELLATED,
    Listing,
    beside,
    dataset_of,
    entities_of,
    scan_of,
)
from semantoks.errors import UserError

TABLE_SUFFIXES = (".tsv", ".csv", ".npy", ".mat", ".1D", ".txt")
# The last is CIFTI; where a table has the same time series, it is listed before.
TABLE_PATTERNS = (
    *(f"*_timeseries{suffix}" for suffix in TABLE_SUFFIXES),
    f"*_timeseries{PARCELLATED}",
)
PARQUET_PATTERN = "*_timeseries.parquet"
Scans = Iterator[DerivativeScan]


def find_derivative_scans(folder: Path, dataset: IndexedDataset) -> pd.DataFrame:
    """List the scans of a data set that starts from preprocessed images or time series.

    Parameters
    ----------
    folder : Path
        The data set; an HDF5 file if it is in the format of the reference implementation.
    dataset : IndexedDataset
        ``source``, ``template`` and ``task`` select the files.

    Returns
    -------
    DataFrame
        The columns of `DerivativeScan`, one row per scan, sorted.

    Raises
    ------
    UserError
        When there is no such file.
    """
    if not folder.exists():
        raise UserError(f"There is no {folder}. Set the data set's `path` in the configuration.")
    scans = scan_table(_scans_in(folder, dataset), DerivativeScan)
    if dataset.task is not None:
        scans = scans[scans["task"] == dataset.task]
    if scans.empty:
        by_default = IMAGE_PATTERNS if dataset.source == "fmriprep" else TABLE_PATTERNS
        task = f" of task '{dataset.task}'" if dataset.task else ""
        raise UserError(
            f"{folder} has no files{task} named {dataset.template or ', '.join(by_default)}. "
            "Correct `path`, or describe with `template` how the files are named."
        )
    scans = scans.assign(version=_versions_with_sidecars(scans, folder))
    scans = without_duplicates(scans, "file")
    # A template says which files are meant.
    return scans if dataset.template else without_concatenations(scans, folder)


def _versions_with_sidecars(scans: pd.DataFrame, folder: Path) -> list[str]:
    """Extend the version of each scan: sidecars state the TR, so a change must re-run the shard."""
    versions, data_sets = list[str](), dict[Path, Inheritance]()
    for name, version in zip(scans["file"], scans["version"], strict=True):
        path = folder / name
        root = dataset_of(path)
        data_set = data_sets.setdefault(root, Inheritance(root, ()))
        is_table = path.suffix != ".parquet" and not is_hdf5(path)
        file = BidsFile.of(path.relative_to(root).as_posix())
        sidecars = data_set.of_recording(file) if is_table else []
        versions.append(f"{version}-{version_of(*sidecars)}" if sidecars else version)
    return versions


def _scans_in(folder: Path, dataset: IndexedDataset) -> Scans:
    listing = Listing()
    if dataset.template is not None:
        return _from_template(folder, dataset.template, listing)
    if dataset.source == "fmriprep":
        return _from_images(folder, listing)
    if is_hdf5(folder):
        return _from_hdf5(folder, listing)
    is_parquet = any(_files(folder, PARQUET_PATTERN))
    return (_from_parquet if is_parquet else _from_tables)(folder, listing)


def _from_template(folder: Path, template: str, listing: Listing) -> Scans:
    for path, entities in find_by_template(folder, template):
        # `{participant}.tsv` fits the table of participants too.
        if path.stem != "participants":
            yield _scan(folder, path, listing, **entities)


def _from_images(folder: Path, listing: Listing) -> Scans:
    """Yield one row per run in fMRIPrep's layout, in however many spaces it was written."""
    listed = set[str]()
    for pattern in IMAGE_PATTERNS:
        for path in _files(folder, pattern):
            scan, image = scan_of(path.name), path.name.removesuffix(".gz")
            # The same image as .nii and .nii.gz is kept twice here, and becomes a problem later.
            if scan not in listed or image in listed:
                row = _scan(folder, path, listing, scan, **_entities(scan))
                yield replace(row, version=version_of(*listing.of_run(path)))
            listed |= {scan, image}


def _from_tables(folder: Path, listing: Listing) -> Scans:
    listed = set[tuple[Path, frozenset[tuple[str, str]]]]()
    for pattern in TABLE_PATTERNS:
        for path in _files(folder, pattern):
            # fMRIPrep's confounds and XCP-D's other statistics (ALFF, ReHo) are named alike.
            other = re.search(r"_desc-confounds_|_stat-(?!mean_)", path.name)
            # XCP-D writes CIFTI and a table of the same values, with and without the density.
            content = path.parent, frozenset(_without_density(path))
            is_copy = path.name.endswith(PARCELLATED) and content in listed
            if path.name.startswith("sub-") and not other and not is_copy:
                scan = scan_of(path.name)
                yield _scan(folder, path, listing, scan, **_entities(scan))
                listed.add(content)


def _without_density(path: Path) -> set[tuple[str, str]]:
    return {pair for pair in entities_of(path.name).items() if pair[0] != "den"}


def _from_parquet(folder: Path, listing: Listing) -> Scans:
    for path in _files(folder, PARQUET_PATTERN):
        # Parquet reads single columns, so the time series are not loaded.
        for row in read_table(path, list(SCAN_ENTITIES)).itertuples(index=False):
            yield _scan(
                folder,
                path,
                listing,
                str(row.scan),
                participant=str(row.participant_id),
                session=str(row.session),
                task=str(row.task),
                run=str(row.run),
            )


def _from_hdf5(path: Path, listing: Listing) -> Scans:
    import h5py  # type: ignore[import-untyped]

    with h5py.File(path) as file:
        for scan in read_ids(file):
            yield _scan(path, path, listing, scan, participant=scan)


def _files(folder: Path, pattern: str) -> list[Path]:
    """Find files at any depth, sorted.

    `Path.rglob` does not follow links to folders, which are usual in data sets (DataLad, NFS). Each
    real folder is visited once, since links may be circular.
    """
    visited, files = set[str](), list[Path]()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        files += [Path(parent, name) for name in fnmatch.filter(names, pattern)]
    return sorted(files)


def _entities(stem: str) -> dict[str, str]:
    """BIDS entities of a stem; participant and session with their prefixes."""
    entities = entities_of(stem)
    session, run = entities.get("ses", ""), entities.get("run", "")
    return {
        "participant": f"sub-{entities.get('sub', '')}",
        "session": session and f"ses-{session}",
        "task": entities.get("task", ""),
        "run": str(int(run)) if run.isdecimal() else run,
    }


def _scan(
    folder: Path, path: Path, listing: Listing, scan: str = "", **entities: str
) -> DerivativeScan:
    """Row of a file; its version changes with everything beside it that is read."""
    participant, session, task, run = (entities.get(name, "") for name in ENTITIES)
    tables = [f"{scan_of(path.name)}_{name}.tsv" for name in ("outliers", "motion")]
    others = [*map(path.with_name, MASKS), *(beside(path, name, listing) for name in tables)]
    return DerivativeScan(
        scan=scan or "_".join(filter(None, (participant, session, task, run))),
        participant_id=participant,
        session=session,
        task=task,
        run=run,
        file=path.relative_to(folder).as_posix(),
        version=version_of(path, *others),
        problem=problem_of(path),
    )
