"""BIDS derivatives: how fMRIPrep names its outputs, and which software wrote a folder."""

from __future__ import annotations

import glob
import json
import logging
import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, TypeVar

from semantoks.errors import ScanError, shown
from semantoks.gate import require_file

log = logging.getLogger(__name__)
PathT = TypeVar("PathT", bound=PurePath)

# Preprocessed images, volumes and CIFTI. Native-space outputs have no `space` entity.
IMAGE_PATTERNS = (
    "*_space-*_bold.nii.gz",
    "*_space-*_bold.nii",
    "*_space-*_bold.dtseries.nii",
)

# CIFTI parcellated time series.
PARCELLATED = ".ptseries.nii"

# Brain masks beside images of other trees.
MASKS = ("mask.nii.gz", "brain_mask.nii.gz")

# What FSL's FEAT and MELODIC write beside a run in native space: the folder, its warp fields from
# MNI152 to the run, and the affine registration of the same pair.
REG = "reg"
WARPS = (f"{REG}/example_func2standard_warp.nii.gz", f"{REG}/example_func2standard_warp.nii")
# Folder of images that FSL has resampled to its standard space.
REG_STANDARD = "reg_standard"

# Entities that BIDS defines as indices: `run-01` and `run-1` are the same run.
INDICES = ("run", "echo", "chunk")
# Entities that tell apart what was made of a recording, and not recordings.
DERIVED = ("space", "cohort", "seg", "atlas", "res", "den", "label", "hemi", "desc", "stat")


def entities_of(name: str) -> dict[str, str]:
    """Split a BIDS file name or stem into its entities, such as ``{"sub": "01"}``."""
    # Suffixes such as `bold` have no hyphen, which sets them apart from entities.
    return dict(part.split("-", 1) for part in name.split("_") if "-" in part)


def space_of(image: Path) -> str:
    """Template space that a file name states; empty if it states none.

    Each cohort of a template is a space of its own, written as TemplateFlow does:
    ``MNIPediatricAsym:cohort-2``.
    """
    entities = entities_of(image.name)
    space, cohort = entities.get("space", ""), entities.get("cohort")
    return f"{space}:cohort-{cohort}" if space and cohort else space


def scan_of(name: str) -> str:
    """Name of the run that a file belongs to, the same for all spaces, atlases and statistics.

    It has every entity that tells recordings apart, also those that BIDS puts after ``space``, such
    as ``chunk``.
    """
    *parts, last = name.split("_")
    suffix = last.split(".")[0]
    # The suffix has no hyphen; DCAN's pipelines write `bold` before the entities of the derivative.
    parts += [suffix] if "-" in suffix else []
    return "_".join(part for part in parts if part.split("-")[0] not in (*DERIVED, "bold"))


def split_at_participant(path: str) -> tuple[str, str]:
    """Split a path at the folder of the participant: its BIDS data set, and the path within it.

    The first is ``.`` if the path begins with that folder, and ``MRI/Site-RU`` for a data set that
    consists of several.
    """
    parts = Path(path).parts
    start = next((n for n, part in enumerate(parts) if part.startswith("sub-")), 0)
    return Path(*parts[:start]).as_posix(), Path(*parts[start:]).as_posix()


def comparable(name: str) -> str:
    """Name in which indices have no leading zeros: ``run-01`` and ``run-1`` are the same run."""
    return re.sub(rf"(?<=_)({'|'.join(INDICES)})-0+(?=\d)", r"\1-", name)


class Listing:
    """Names in folders; each folder is read once, as it may hold thousands of runs."""

    def __init__(self) -> None:
        self._by_name: dict[Path, dict[str, list[Path]]] = {}
        self._by_run: dict[Path, dict[str, list[Path]]] = {}

    def comparable_to(self, path: Path) -> list[Path]:
        """List the files in the folder of a path whose names differ from it in zeros at most."""
        folder = path.parent
        if folder not in self._by_name:
            others = folder.iterdir() if folder.is_dir() else ()
            self._by_name[folder] = _grouped(others, comparable)
        return self._by_name[folder].get(comparable(path.name), [])

    def of_run(self, image: Path) -> list[Path]:
        """List what is beside an image of the same run: other spaces, masks, confounds."""
        folder, run = image.parent, comparable(scan_of(image.name))
        if folder not in self._by_run:
            self._by_run[folder] = _grouped(folder.iterdir(), lambda x: comparable(scan_of(x)))
        start = f"{run.split('_')[0]}_"
        return [path for path in self._by_run[folder].get(run, []) if path.name.startswith(start)]


def _grouped(paths: Iterable[Path], key: Callable[[str], str]) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(key(path.name), []).append(path)
    return groups


def beside(path: Path, name: str, listing: Listing | None = None) -> Path:
    """Path of a file in the folder of another, whether it exists or not.

    If there is none of this name, it is the file whose name has the same indices: software writes
    ``run-1`` where the image has ``run-01``, and the other way round.

    Parameters
    ----------
    path : Path
    name : str
    listing : Listing, optional
        Of many files, so that their folder is not read for each.
    """
    exact = path.with_name(name)
    # A link to a file that is not here is that file as well.
    if os.path.lexists(exact) or not re.search(rf"_({'|'.join(INDICES)})-\d", name):
        return exact
    same = (listing or Listing()).comparable_to(exact)
    return same[0] if len(same) == 1 else exact


def affine_of(warp: PathT) -> PathT:
    """Path of FLIRT's matrix beside a warp field of FSL, whether it exists or not."""
    return warp.with_name(re.sub(r"_warp\.nii(\.gz)?$", "", warp.name) + ".mat")


def files_beside(image: PathT) -> list[PathT]:
    """Paths of what may be read with an image that is not in fMRIPrep's layout, but for sidecars.

    Masks, XCP-D's tables of outliers, and FSL's registration, whether they exist or not.
    """
    tables = [f"{scan_of(image.name)}_{name}.tsv" for name in ("outliers", "motion")]
    warps = [image.parent / warp for warp in WARPS]
    return [*(image.with_name(name) for name in (*MASKS, *tables)), *warps, affine_of(warps[0])]


def images_of_run(folder: Path, scan: str, ending: str) -> list[Path]:
    """List the preprocessed images of a run, one for each template space.

    `index` records one image per run, because its tables do not depend on the atlas: a new atlas
    must not invalidate them. Which of several spaces to read is decided here, later, when the atlas
    is known. For raw data, there are no derivatives yet when `index` runs.

    Parameters
    ----------
    folder : Path
        Searched at any depth.
    scan : str
        Name of the run, as `scan_of` returns it.
    ending : str
        Pattern for the file name after ``_space-*``, such as ``_desc-preproc_bold.nii*``.

    Returns
    -------
    list of Path
        Sorted; empty if the folder does not exist.
    """
    if not folder.is_dir():
        return []
    # Names may have characters that patterns reserve, such as brackets.
    paths = folder.rglob(f"{glob.escape(scan.split('_')[0])}_*space-*{ending}")
    return sorted(path for path in paths if comparable(scan_of(path.name)) == comparable(scan))


def dataset_of(path: Path) -> Path:
    """Folder of the data set that a file belongs to.

    That is the one with the participant's folder, else the nearest with a description, else the
    file's own folder.
    """
    participant = path.name.split("_")[0]
    of_participant = [folder.parent for folder in path.parents if folder.name == participant]
    described = (x for x in path.parents if (x / "dataset_description.json").is_file())
    return of_participant[-1] if of_participant else next(described, path.parent)


def generated_by(folder: Path) -> str:
    """Name and version of the software that wrote a folder of derivatives.

    Read from ``dataset_description.json``; early versions of fMRIPrep wrote
    ``PipelineDescription`` where BIDS now has ``GeneratedBy``. Empty if neither is there.
    """
    file = folder / "dataset_description.json"
    if not os.path.lexists(file):
        return ""
    content = _description(file)
    tools = content.get("GeneratedBy") or content.get("PipelineDescription")
    # GeneratedBy is a list, PipelineDescription was a single object.
    tool = tools[0] if isinstance(tools, list) else tools
    tool = tool if isinstance(tool, dict) else {}
    return " ".join(shown(tool[key]) for key in ("Name", "Version") if tool.get(key))


def _description(file: Path) -> dict[str, Any]:
    """Read a description; the scans beside a broken one are no worse, so it only is said."""
    try:
        content = json.loads(require_file(file).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, ScanError) as error:
        _say_once(f"{file} is taken as empty, since it cannot be read ({error})")
        return {}
    if not isinstance(content, dict):
        _say_once(f"{file} is taken as empty, since it is not a JSON object")
        return {}
    return content


@lru_cache(maxsize=64)  # every scan of a folder asks for the same description
def _say_once(text: str) -> None:
    log.warning("%s", text)


def is_xcpd(file: Path) -> bool:
    """Whether the nearest description of a data set above a file names XCP-D."""
    described = (part for part in file.parents if (part / "dataset_description.json").is_file())
    nearest = next(described, None)
    software = "" if nearest is None else generated_by(nearest)
    return software.lower().replace("-", "_").startswith(("xcp_d", "xcpd"))
