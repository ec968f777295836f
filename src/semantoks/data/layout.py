"""BIDS derivatives: how fMRIPrep names its outputs, and which software wrote a folder."""

from __future__ import annotations

from pathlib import Path

from semantoks.artifacts.files import read_json

# Preprocessed images, volumes and CIFTI. Native-space outputs have no `space` entity.
IMAGE_PATTERNS = (
    "*_space-*_bold.nii.gz",
    "*_space-*_bold.nii",
    "*_space-*_bold.dtseries.nii",
)


def entities_of(name: str) -> dict[str, str]:
    """Split a BIDS file name or stem into its entities, such as ``{"sub": "01"}``."""
    # Suffixes such as `bold` have no hyphen, which sets them apart from entities.
    return dict(part.split("-", 1) for part in name.split("_") if "-" in part)


def space_of(image: Path) -> str:
    """Template space that a file name states; empty if it states none."""
    return entities_of(image.name).get("space", "")


def scan_of(image: Path) -> str:
    """Name of the run of a preprocessed image, the same for the outputs in all spaces."""
    return image.name.split("_space-")[0]


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
    return sorted(folder.rglob(f"{scan}_space-*{ending}")) if folder.is_dir() else []


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
