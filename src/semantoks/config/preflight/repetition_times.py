"""Whether any file of a data set can state its repetition time (TR)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from semantoks.config import Config, Dataset
from semantoks.config.folders import folders_of
from semantoks.config.participants_table import HDF5_SUFFIXES
from semantoks.errors import ScanError, UserError
from semantoks.gate import Gate, require_file

KEYS = ('"RepetitionTime"', '"SamplingFrequency"')
STATING = (".parquet", ".mat", ".dtseries.nii")  # these may state it themselves
# Headers of these may as well; `index` reads them, since planning must not need nibabel.
IMAGES, RAW_IMAGES = (".nii", ".nii.gz"), ("_bold.nii", "_bold.nii.gz")
SCANS = (".nii", ".nii.gz", ".tsv", ".csv", ".npy", ".1D", ".txt", *HDF5_SUFFIXES)
MAX_FILES = 5000  # larger data sets are left to `index`, since a network disk takes minutes


def require_repetition_time(name: str, dataset: Dataset, config: Config) -> None:
    """Refuse a data set of which no scan would have a TR, if that shows in a few seconds.

    Parameters
    ----------
    name : str
    dataset : Dataset
    config : Config

    Raises
    ------
    UserError
    """
    by_fmriprep = dataset.source == "bids" and config.preprocessing.engine == "fmriprep"
    if dataset.repetition_time is not None or dataset.path is None or by_fmriprep:
        return
    root, has_scans = Path(dataset.path), False
    with Gate(root, [Path(folder) for folder in dataset.link_targets]) as gate:
        folders, is_raw = folders_of(root, dataset.folders, name), dataset.source == "bids"
        for number, file in enumerate(_files(gate, folders)):
            by_name = is_raw and dataset.template is None
            has_header = file.name.endswith(RAW_IMAGES if by_name else IMAGES)
            if number == MAX_FILES or has_header or may_state_tr(file, is_raw):
                return
            is_scan = file.name.startswith("sub-") or dataset.template or file == root
            has_scans |= bool(is_scan and file.name.endswith(SCANS))
    if has_scans:
        raise UserError(no_repetition_time(f"datasets.{name}: no file of {root}"))


def may_state_tr(file: Path, is_raw: bool) -> bool:
    """Whether a file states a repetition time, or might do so, apart from NIfTI headers.

    Parameters
    ----------
    file : Path
        A scan, or a sidecar in JSON.
    is_raw : bool
        In a raw data set, sidecars of anatomical images state one as well.
    """
    if not file.name.endswith(".json") or (is_raw and not file.name.endswith("bold.json")):
        return file.name.endswith(STATING) and not is_raw
    try:
        text = require_file(file).read_text(encoding="utf-8-sig", errors="replace")
    except (OSError, ScanError):
        return False
    return any(key in text for key in KEYS)


def no_repetition_time(what: str) -> str:
    """Return the sentence on a data set whose files state no TR."""
    return (
        f"{what} states the repetition time (TR), so every scan would be excluded. Set "
        "`repetition_time` of the data set to seconds, to a column of the table of participants "
        "or to {column: {value: seconds}}."
    )


def _files(gate: Gate, folders: list[Path]) -> Iterator[Path]:
    """Yield the files of a data set, those of upper folders first; of HDF5, it and its sidecar."""
    root = gate.root
    if root.is_file():
        yield from (root, root.with_name(f"{root.name}.json"))
        return
    walked = chain.from_iterable(map(gate.walk, folders))
    for parent, names in islice(walked, MAX_FILES):
        yield from (parent / name for name in names)
