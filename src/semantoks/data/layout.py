"""BIDS derivatives: how fMRIPrep names its outputs, and which software wrote a folder."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from semantoks.artifacts.files import read_json

# Preprocessed images, volumes and CIFTI. Native-space outputs have no `space` entity.
IMAGE_PATTERNS = (
    "*_space-*_bold.nii.gz",
    "*_space-*_bold.nii",
    "*_space-*_bold.dtseries.nii",
)

# Brain masks beside images of other trees.
MASKS = ("mask.nii.gz", "brain_mask.nii.gz")


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


def scan_of(image: Path) -> str:
    """Name of the run of a preprocessed image, the same for the outputs in all spaces."""
    return image.name.split("_space-")[0]


def stem_of_run(name: str) -> str:
    """Entities of a file name up to those that describe the derivative, such as ``space``."""
    return re.split(r"_(?:space|seg|atlas|den|desc|stat)-|_timeseries|_bold", name)[0]


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
        BIDS name of the run up to its ``space`` entity.
    ending : str
        Pattern for the file name after ``_space-*``, such as ``_desc-preproc_bold.nii*``.

    Returns
    -------
    list of Path
        Sorted; empty if the folder does not exist.
    """
    # Names may have characters that patterns reserve, such as brackets.
    pattern = f"{glob.escape(scan)}_space-*{ending}"
    return sorted(folder.rglob(pattern)) if folder.is_dir() else []


def generated_by(folder: Path) -> str:
    """Name and version of the software that wrote a folder of derivatives.

    Read from ``dataset_description.json``; early versions of fMRIPrep wrote
    ``PipelineDescription`` where BIDS now has ``GeneratedBy``. Empty if neither is there.
    """
    file = folder / "dataset_description.json"
    if not file.is_file():
        return ""
    content = read_json(file)
    tools = content.get("GeneratedBy") or content.get("PipelineDescription") or {}
    # GeneratedBy is a list, PipelineDescription was a single object.
    tools = tools if isinstance(tools, list) else [tools]
    return " ".join(str(tools[0][key]) for key in ("Name", "Version") if tools[0].get(key))
