"""The scans of data sets that start from preprocessed images or from time series."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from semantoks.artifacts.tables import read_table
from semantoks.artifacts.timeseries import SCAN_ENTITIES
from semantoks.config import ENTITIES, IndexedDataset, split_zip
from semantoks.config.folders import folders_of
from semantoks.data.declared import require_plausible_parquet
from semantoks.data.hdf5 import is_hdf5, read_ids
from semantoks.data.index.derivatives.concatenations import without_concatenations
from semantoks.data.index.derivatives.versions import (
    allowed_version,
    version_of_registration,
    versions_with_sidecars,
)
from semantoks.data.index.files import Files, without_duplicates
from semantoks.data.index.shards import DerivativeScan, scan_table
from semantoks.data.index.stacked import runs_by_template
from semantoks.data.index.templates import fill_template, find_by_template
from semantoks.data.layout import (
    IMAGE_PATTERNS,
    PARCELLATED,
    Listing,
    beside,
    entities_of,
    files_beside,
    scan_of,
)
from semantoks.errors import ScanError, UserError
from semantoks.gate import Gate, problem_of_file, require_file

log = logging.getLogger(__name__)
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
    if not folder.is_dir() and (problem := problem_of_file(folder)):
        raise UserError(f"{folder}: {problem}. Correct `path` of the data set.")
    with Gate(folder, [Path(target) for target in dataset.link_targets]) as gate:
        return _find(gate, dataset)


def _find(gate: Gate, dataset: IndexedDataset) -> pd.DataFrame:
    """List the scans; see `find_derivative_scans`."""
    folder = gate.root
    scans = scan_table(_scans_in(gate, dataset), DerivativeScan)
    if dataset.task is not None:
        scans = scans[scans["task"] == dataset.task]
    gate.require_followed(scans["problem"])
    if scans.empty:
        by_default = IMAGE_PATTERNS if dataset.source == "fmriprep" else TABLE_PATTERNS
        task = f" of task '{dataset.task}'" if dataset.task else ""
        hint = _template_hint(folder, dataset.template) if dataset.template else ""
        raise UserError(
            f"{folder} has no files{task} named {dataset.template or ', '.join(by_default)}. "
            f"{hint or 'Correct `path`, or describe with `template` how the files are named.'}"
        )
    scans = scans.assign(version=versions_with_sidecars(scans, gate))
    gate.report()
    scans = without_duplicates(scans, "file")
    # A template says which files are meant.
    return scans if dataset.template else without_concatenations(scans, folder)


def _template_hint(folder: Path, template: str) -> str:
    """Say which template would find files that are one or two levels further down."""
    for deeper in (f"*/{template}", f"*/*/{template}"):
        if next(find_by_template(folder, split_zip(deeper)[0]), None):
            return f"Files are further down: set `template: '{deeper}'` of the data set."
    return ""


def _scans_in(gate: Gate, dataset: IndexedDataset) -> Scans:
    listing = Listing()
    if dataset.template is not None:
        return _from_template(gate, dataset, listing)
    if is_hdf5(gate.root):
        return _from_hdf5(gate, listing)
    files = Files(gate, folders_of(gate.root, dataset.folders))
    if dataset.source == "fmriprep":
        return _from_images(files, listing)
    is_parquet = any(files.named(PARQUET_PATTERN))
    return (_from_parquet if is_parquet else _from_tables)(files, listing)


def _from_template(gate: Gate, dataset: IndexedDataset, listing: Listing) -> Scans:
    # What is in a zip file is read with the scan: listing 40,000 of them would take hours.
    outer, inner = split_zip(dataset.template or "")
    stacks = dataset.source == "fmriprep" and not inner
    for run in runs_by_template(gate, outer, stacks=stacks):
        row, entities = _scan(gate, run.files[0], listing, **run.entities), run.entities
        file = run.path.relative_to(gate.root).as_posix()
        version = f"{row.version}-{run.version(gate)}" if run.is_stack else row.version
        yield replace(
            row,
            file=f"{file}/{fill_template(inner, entities)}" if inner else file,
            problem=run.problem(gate),
            version=version + version_of_registration(gate, dataset.registration, entities),
        )


def _from_images(files: Files, listing: Listing) -> Scans:
    """Yield one row per run in fMRIPrep's layout, in however many spaces it was written."""
    listed = set[str]()
    for pattern in IMAGE_PATTERNS:
        for path in files.named(pattern):
            scan, image = scan_of(path.name), path.name.removesuffix(".gz")
            # The same image as .nii and .nii.gz is kept twice here, and becomes a problem later.
            if scan not in listed or image in listed:
                row = _scan(files.gate, path, listing, scan, **_entities(scan))
                yield replace(row, version=allowed_version(files.gate, *listing.of_run(path)))
            listed |= {scan, image}


def _from_tables(files: Files, listing: Listing) -> Scans:
    listed = set[tuple[Path, frozenset[tuple[str, str]]]]()
    for pattern in TABLE_PATTERNS:
        for path in files.named(pattern):
            # fMRIPrep's confounds and XCP-D's other statistics (ALFF, ReHo) are named alike.
            other = re.search(r"_desc-confounds_|_stat-(?!mean_)", path.name)
            # XCP-D writes CIFTI and a table of the same values, with and without the density.
            content = path.parent, frozenset(_without_density(path))
            is_copy = path.name.endswith(PARCELLATED) and content in listed
            if path.name.startswith("sub-") and not other and not is_copy:
                scan = scan_of(path.name)
                yield _scan(files.gate, path, listing, scan, **_entities(scan))
                listed.add(content)


def _without_density(path: Path) -> set[tuple[str, str]]:
    return {pair for pair in entities_of(path.name).items() if pair[0] != "den"}


def _from_parquet(files: Files, listing: Listing) -> Scans:
    """Yield the scans of Semantoks' own files; what is no such file has no scan to be said of."""
    for path in files.named(PARQUET_PATTERN):
        try:
            require_plausible_parquet(require_file(path), SCAN_ENTITIES)
        except ScanError as error:
            log.warning("%s is left out: %s", path, error)
            continue
        # Parquet reads single columns, so the time series are not loaded.
        for row in read_table(path, list(SCAN_ENTITIES)).itertuples(index=False):
            yield _scan(
                files.gate,
                path,
                listing,
                str(row.scan),
                participant=str(row.participant_id),
                session=str(row.session),
                task=str(row.task),
                run=str(row.run),
            )


def _from_hdf5(gate: Gate, listing: Listing) -> Scans:
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(gate.root) as file:
            ids = read_ids(file)
    except (OSError, ScanError) as error:
        raise UserError(
            f"{gate.root} is not readable HDF5 of the reference implementation ({error}). Correct "
            "`path` of the data set, or the file."
        ) from None
    for scan in ids:
        yield _scan(gate, gate.root, listing, scan, participant=scan)


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
    gate: Gate, path: Path, listing: Listing, scan: str = "", **entities: str
) -> DerivativeScan:
    """Row of a file; its version changes with everything beside it that is read."""
    participant, session, task, run = (entities.get(name, "") for name in ENTITIES)
    others = files_beside(path)
    others = [beside(path, x.name, listing) if x.parent == path.parent else x for x in others]
    return DerivativeScan(
        scan=scan or "_".join(filter(None, (participant, session, task, run))),
        participant_id=participant,
        session=session,
        task=task,
        run=run,
        file=path.relative_to(gate.root).as_posix(),
        version=allowed_version(gate, path, *others),
        problem=gate.problem_of(path),
    )
