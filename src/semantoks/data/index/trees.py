"""The scans of data sets that enter preprocessed, as images or as time series."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from semantoks.artifacts.tables import read_table
from semantoks.config import ENTITIES, IndexedDataset
from semantoks.data.hdf5 import HDF5_SUFFIXES, decode_ids
from semantoks.data.index.files import problem_of, version_of, without_duplicates
from semantoks.errors import UserError

IMAGES = ("*_space-*_bold.nii.gz", "*_space-*_bold.nii", "*_space-*_bold.dtseries.nii")
TABLES = tuple(f"*_timeseries{suffix}" for suffix in (".tsv", ".csv", ".npy", ".1D"))
Found = Iterator[dict[str, str]]


def find_entered(folder: Path, dataset: IndexedDataset) -> pd.DataFrame:
    """List the scans of a data set that enters preprocessed.

    Returns
    -------
    DataFrame
        One row per scan, sorted: ``scan``, ``participant_id``, ``session``, ``task``, ``run``,
        ``file`` (relative), ``repetition_time`` (NaN: in the sidecar), ``version`` (changes when
        the file does), ``problem`` (why it cannot be used, mostly empty).

    Raises
    ------
    UserError
        When there is none.
    """
    if not folder.exists():
        raise UserError(f"There is no {folder}. Set the data set's `path` in the configuration.")
    columns = ["scan", "participant_id", "session", "task", "run", "file", "version", "problem"]
    scans = pd.DataFrame(_find(folder, dataset), columns=columns)
    if dataset.task is not None:
        scans = scans[scans["task"] == dataset.task]
    if scans.empty:
        what = dataset.template or ", ".join(IMAGES if dataset.source == "fmriprep" else TABLES)
        task = f" of task '{dataset.task}'" if dataset.task else ""
        raise UserError(
            f"{folder} has no files{task} named {what}. Mend `path`, or say with `template` how "
            "the files are named."
        )
    return without_duplicates(scans.assign(repetition_time=float("nan")), "file")


def _find(folder: Path, dataset: IndexedDataset) -> Found:
    if dataset.template is not None:
        return _templated(folder, dataset.template)
    if dataset.source == "fmriprep":
        return _derivatives(folder)
    if folder.suffix in HDF5_SUFFIXES:
        return _hdf5(folder)
    return _parquet(folder) if any(_files(folder, "*_timeseries.parquet")) else _tables(folder)


def _templated(folder: Path, template: str) -> Found:
    """Find files by a template such as ``{participant}/rest_{run}.nii.gz``."""
    pattern, seen = "", set[str]()
    for text, name in re.findall(r"([^{}]*)(?:{(\w+)})?", template):
        pattern += re.escape(text).replace(r"\*", "[^/]*")
        if name:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"
            seen.add(name)
    for path in sorted(folder.glob(re.sub(r"{\w+}", "*", template))):
        match = re.fullmatch(pattern, path.relative_to(folder).as_posix())
        if match:
            yield _row(folder, path, **match.groupdict())


def _derivatives(folder: Path) -> Found:
    """One row per run of fMRIPrep's, whichever spaces it is there in."""
    seen = set[str]()
    for pattern in IMAGES:
        for path in _files(folder, pattern):
            scan, image = path.name.split("_space-")[0], path.name.removesuffix(".gz")
            if scan not in seen or image in seen:  # compressed and not: two files of one image
                beside = path.parent.glob(f"{glob.escape(scan)}_*")
                row = _row(folder, path, scan, **_entities(scan))
                yield row | {"version": version_of(*beside)}  # of every space, and the confounds
            seen |= {scan, image}


def _tables(folder: Path) -> Found:
    for pattern in TABLES:
        for path in _files(folder, pattern):
            other = re.search(r"_desc-confounds_|_stat-(?!mean_)", path.name)
            if path.name.startswith("sub-") and not other:
                stem = re.split(r"_space-|_seg-|_atlas-|_desc-|_stat-|_timeseries", path.name)[0]
                yield _row(folder, path, stem, **_entities(stem))


def _parquet(folder: Path) -> Found:
    for path in _files(folder, "*_timeseries.parquet"):
        rows = read_table(path, ["scan", "participant_id", "session", "task", "run"])
        for row in rows.to_dict("records"):
            yield _row(folder, path) | {str(key): str(value) for key, value in row.items()}


def _hdf5(file: Path) -> Found:
    import h5py  # type: ignore[import-untyped]

    with h5py.File(file) as content:
        for scan in decode_ids(content["long_subject_id"][:]):
            yield _row(file, file, scan, participant=scan)


def _files(folder: Path, pattern: str) -> Iterable[Path]:
    """Find files at any depth, through links to folders as well, each folder once."""
    seen, found = set[str](), list[Path]()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        found += [Path(place, name) for name in fnmatch.filter(names, pattern)]
    return sorted(found)


def _entities(stem: str) -> dict[str, str]:
    """Entities of a BIDS name; the participant with its ``sub-``, as BIDS names people."""
    parts = dict(part.split("-", 1) for part in stem.split("_") if "-" in part)
    session = parts.get("ses", "")
    return {
        "participant": f"sub-{parts.get('sub', '')}",
        "session": session and f"ses-{session}",
        "task": parts.get("task", ""),
        "run": parts.get("run", ""),
    }


def _row(folder: Path, path: Path, scan: str = "", **entities: str) -> dict[str, str]:
    values = [entities.get(name, "") for name in ENTITIES]
    return {
        "scan": scan or "_".join(filter(None, values)),
        **dict(zip(("participant_id", "session", "task", "run"), values, strict=True)),
        "file": path.relative_to(folder).as_posix(),
        "version": version_of(
            path, *path.parent.glob(f"{glob.escape(path.name.split('.')[0])}.json")
        ),
        "problem": problem_of(path),
    }
