"""What kind of data a folder holds, from the names of some of its files."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import nibabel
from nibabel.filebasedimages import ImageFileError

from semantoks.config import catalogue
from semantoks.data.hdf5 import is_hdf5
from semantoks.data.layout import IMAGE_PATTERNS, entities_of
from semantoks.errors import UserError
from semantoks.gate import problem_of_file
from semantoks.people.read import as_number

# Enough to see what kind of files there are; a data set may have millions.
PEOPLE_READ, MOST_FILES, ROWS_READ = 20, 20_000, 20
_TABLES = r"\.(tsv|csv|1D|txt|npy|mat|ptseries\.nii)"
_DESCRIPTION = "dataset_description.json"


@dataclass(frozen=True)
class DataFolder:
    """What was found in a folder.

    Attributes
    ----------
    path : Path
        The folder, or the file that holds all time series.
    source : str
        ``bids``, ``fmriprep`` or ``timeseries``.
    kind : str
        In words, for people.
    example : Path
        A file with data.
    people : tuple of str
        Ids as file names have them; empty if they are not known from names.
    template : str or None
        Of file names that do not follow BIDS.
    tasks : tuple of str
        BIDS tasks of the files that were looked at.
    preset : str or None
    """

    path: Path
    source: str
    kind: str
    example: Path
    people: tuple[str, ...] = ()
    template: str | None = None
    tasks: tuple[str, ...] = ()
    preset: str | None = None


def look_at(path: Path) -> DataFolder:
    """Find out what kind of data a folder holds.

    Parameters
    ----------
    path : Path
        A folder, or an HDF5 file of the reference implementation.

    Raises
    ------
    UserError
        When there is nothing in it that could be read.
    """
    if not path.exists():
        raise UserError(f"There is no {path}. Name the folder of your data set.")
    if path.is_file():
        if is_hdf5(path):
            return DataFolder(path, "timeseries", "an HDF5 file of time series", example=path)
        raise UserError(f"{path} is a file. Name the folder of your data set.")
    has_people = bool(_participants(path))
    data = _in_bids(path) if has_people else _below(path) or _beside_each_other(path)
    if data is None:
        seen = ", ".join(sorted(entry.name for entry in islice(os.scandir(path), 5)))
        raise UserError(
            f"{path} has no BOLD images and no time series that are recognised (it has "
            f"{seen or 'no files'}). Expected: sub-* folders of raw BIDS data, fMRIPrep or XCP-D, "
            "or a folder of tables of regional time series. For another layout write the "
            "configuration by hand: `template` in `semantoks guide`."
        )
    return data


def _participants(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        names = [entry.name for entry in entries if entry.is_dir()]
    return sorted(name for name in names if name.startswith("sub-"))


def _below(path: Path) -> DataFolder | None:
    """Recognise the data set in a folder of a study, such as ``derivatives/fmriprep``.

    Raises
    ------
    UserError
        When there are several.
    """
    folders = [folder for top in _folders_of(path) for folder in (top, *_folders_of(top))]
    datasets = [data for folder in folders if (data := _in_bids(folder)) is not None]
    if len(datasets) > 1:
        listed = "; ".join(f"{data.path} ({data.kind})" for data in datasets)
        raise UserError(f"{path} has several data sets: {listed}. Name one of them.")
    return datasets[0] if datasets else None


def _in_bids(path: Path) -> DataFolder | None:
    """Recognise a BIDS data set or derivatives, from a sample of people spread over all."""
    people = _participants(path)
    step = max(1, len(people) // PEOPLE_READ)
    files = list(islice(_files_below(path, people[::step]), MOST_FILES))
    ids = tuple(name.removeprefix("sub-") for name in people)
    software = _software(path)
    for source, kind, is_of_kind in (
        ("fmriprep", "images preprocessed", _is_preprocessed),
        ("timeseries", "time series", _is_series),
        ("bids", "raw BIDS images", _is_raw),
    ):
        matching = [file for file in files if is_of_kind(file.name)]
        if matching:
            tasks = Counter(entities_of(file.name).get("task", "") for file in matching)
            return DataFolder(
                path,
                source,
                f"{kind} by {software}" if software and source != "bids" else kind,
                matching[0],
                ids,
                tasks=tuple(sorted(task for task in tasks if task)),
            )
    return None


def seconds_of_image(file: Path) -> float | None:
    """Return the length of a run by the header of a NIfTI image; None of other files."""
    if not file.name.endswith((".nii", ".nii.gz")) or problem_of_file(file):
        return None
    try:
        image = nibabel.load(file)
        zooms = image.header.get_zooms()
        # Headers of other software may have no TR, or milliseconds.
        seconds = image.shape[3] * float(zooms[3])
    except (OSError, LookupError, ImageFileError):
        return None
    return seconds if 10 < seconds < 100_000 else None


def _files_below(path: Path, people: Sequence[str]) -> Iterator[Path]:
    for name in people:
        for folder, _, files in os.walk(path / name):
            yield from (Path(folder, file) for file in sorted(files))


def _is_preprocessed(name: str) -> bool:
    return any(Path(name).match(pattern) for pattern in IMAGE_PATTERNS)


def _is_series(name: str) -> bool:
    return re.search(rf"_timeseries({_TABLES}|\.parquet)$", name) is not None and (
        # fMRIPrep names its confounds so, too.
        "_desc-confounds_" not in name
    )


def _is_raw(name: str) -> bool:
    return re.search(r"_bold\.nii(\.gz)?$", name) is not None


def _software(path: Path) -> str:
    """Return what wrote a folder, such as ``fMRIPrep 23.1.3``; empty if it does not say."""
    file = path / _DESCRIPTION
    if not file.is_file() or problem_of_file(file):
        return ""
    try:
        by = json.loads(file.read_text(encoding="utf-8"))["GeneratedBy"][0]
        return f"{by['Name']} {by.get('Version', '')}".strip()
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def _beside_each_other(path: Path) -> DataFolder | None:
    """Recognise a folder with a file of time series per scan, at its top or one folder below."""
    patterns = (r".+_timeseries\.parquet$", rf".+{_TABLES}$", r".+\.(h5|hdf5)$")
    for folder in (path, *_folders_of(path)):
        with os.scandir(folder) as entries:
            files = sorted(entry.name for entry in islice(entries, MOST_FILES) if entry.is_file())
        for pattern in patterns:
            matching = _of_scans([name for name in files if re.match(pattern, name)])
            if pattern == patterns[2] and len(matching) == 1:
                file = folder / matching[0]
                return DataFolder(file, "timeseries", "an HDF5 file of time series", example=file)
            groups = _same_ending(matching)
            if groups and pattern != patterns[2] and _holds_numbers(folder / groups[1][0]):
                return _of_series(path, folder, *groups)
    return None


def _holds_numbers(file: Path) -> bool:
    """Whether a table of text has a row of mostly numbers; other formats show by themselves."""
    if file.suffix not in (".tsv", ".csv", ".1D", ".txt"):
        return True
    if problem_of_file(file):
        return False
    with file.open(encoding="utf-8", errors="replace") as lines:
        rows = [re.split(r"[,;\s]+", line.strip()) for line in islice(lines, ROWS_READ)]
    shares = [sum(as_number(cell) is not None for cell in row) / len(row) for row in rows]
    # Half of few columns may be texts, such as those that AFNI's 3dROIstats begins a row with.
    return any(share >= 0.5 and len(row) > 1 for row, share in zip(rows, shares, strict=True))


def _of_scans(names: Sequence[str]) -> Sequence[str]:
    """Leave out what is no scan: a table of people or regions may lie beside those of scans."""
    bids = [name for name in names if name.startswith("sub-")]
    numbered = [name for name in names if re.search(r"\d", name.split(".")[0])]
    return next((some for some in (bids, numbered) if len(some) > 1), names)


def _folders_of(path: Path) -> list[Path]:
    """List the first folders that can be read; those of tools, such as ``.git``, hold no data."""
    with os.scandir(path) as entries:
        names = [entry.path for entry in entries if entry.is_dir() and entry.name[0] != "."]
    return sorted(Path(name) for name in names if os.access(name, os.R_OK | os.X_OK))[:PEOPLE_READ]


def _same_ending(names: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the ending that most names share from an underscore or dot on, and these names."""
    endings = Counter(name[place:] for name in names for place in _separators(name))
    # Of endings that are as frequent, the longest: it says most of what the files are.
    several = {ending: count for ending, count in endings.items() if count > 1}
    if not several:
        return None
    best = max(several, key=lambda ending: (several[ending], len(ending)))
    return best, [name for name in names if name.endswith(best) and name != best]


def _separators(name: str) -> list[int]:
    return [match.start() for match in re.finditer(r"[_.]", name) if match.start()]


def _of_series(path: Path, folder: Path, ending: str, names: Sequence[str]) -> DataFolder:
    example, preset = folder / names[0], _preset_with_table(path)
    if ending.endswith(".parquet"):  # of several scans each
        return DataFolder(folder, "timeseries", "time series in Parquet", example, preset=preset)
    ids, template = [name.removesuffix(ending) for name in names], None
    if all(name.startswith("sub-") for name in names) and "_timeseries" in ending:
        ids = [entities_of(name)["sub"] for name in names]
    else:
        template = (folder.relative_to(path) / f"{{participant}}{ending}").as_posix()
    kind, people = "tables of regional time series", tuple(sorted(set(ids)))
    return DataFolder(path, "timeseries", kind, example, people, template, preset=preset)


def _preset_with_table(path: Path) -> str | None:
    """Return the preset whose table of participants is in a folder, if it is named as no other."""
    for name in catalogue.preset_names():
        table = catalogue.read_preset(name).get("participants", "")
        # The usual name says nothing.
        is_name = isinstance(table, str) and table != "participants.tsv" and "*" not in table
        if is_name and (path / table).is_file():
            return name
    return None
