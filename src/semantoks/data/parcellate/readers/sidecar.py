"""JSON sidecars of images and tables, and the repetition time of tables."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from semantoks.data.index.bids_files import BidsFile
from semantoks.data.index.inheritance import Inheritance, Stated, sidecar_names
from semantoks.data.layout import dataset_of
from semantoks.data.signals import require_repetition_time
from semantoks.errors import ScanError

KEYS = ("RepetitionTime", "SamplingFrequency", "Space", "Sources")
IMAGES = (".nii", ".nii.gz")
NOT_AVAILABLE = ("", "n/a", "na", "nan")


def read_sidecar(path: Path) -> dict[str, Stated]:
    """Read what the sidecars of an image or a table state; see `Inheritance`.

    Raises
    ------
    ScanError
        When a sidecar cannot be read, or equally specific ones disagree.
    """
    sidecars, file = _sidecars_of(path)
    return sidecars.of(file)


def _sidecars_of(path: Path) -> tuple[Inheritance, BidsFile]:
    root = dataset_of(path)
    return Inheritance(root, KEYS), BidsFile.of(path.relative_to(root).as_posix())


def repetition_time(path: Path, configured: float, stated: float | None = None) -> float:
    """Return the repetition time (s): what the files say, else the configured one.

    Parameters
    ----------
    path : Path
        Its JSON files have ``RepetitionTime``, or ``SamplingFrequency`` in Hz.
    configured : float
        NaN if there is none.
    stated : float, optional
        What the file itself says.

    Raises
    ------
    ScanError
        When there is none, it is not plausible, or the files contradict themselves.
    """
    sidecar, frequency = read_sidecar(path), "SamplingFrequency"
    values = {
        f"{file} ({key})": _period(value, file) if key == frequency else _given(value)
        for key, (value, file) in sidecar.items()
        if key in ("RepetitionTime", frequency)
    }
    seconds = {
        source: require_repetition_time(value, source)
        for source, value in {**values, path.name: stated}.items()
        if value is not None
    }
    if not seconds and math.isnan(configured):
        raise ScanError(f"no repetition time: {_why_none(path)}")
    if seconds and not math.isclose(max(seconds.values()), min(seconds.values()), rel_tol=0.01):
        listed = ", ".join(f"{value:g} s in {source}" for source, value in seconds.items())
        raise ScanError(f"the repetition time is not clear: {listed}")
    of_files = next(iter(seconds.values()), None)
    return of_files or require_repetition_time(configured, "`repetition_time`")


def _why_none(path: Path) -> str:
    """Say which files could state a repetition time and do not."""
    sidecars, file = _sidecars_of(path)
    names = ", ".join(Path(sidecar.path).name for sidecar in sidecars.applying(file))
    # `index` would have written what a header states.
    header = ", nor a TR that counts in the header" if path.name.endswith(IMAGES) else ""
    if names:
        return (
            f"no RepetitionTime in {names}, no SamplingFrequency either, and the data set has no "
            f"`repetition_time`{header}"
        )
    expected = sidecar_names(path.name)[0]
    return (
        f"there is no {expected} beside {path.name}, and no `repetition_time` of the data "
        f"set{header}"
    )


def _given(value: Any) -> Any:
    """Return a value of a sidecar; None if it only says that it is not available."""
    return None if isinstance(value, str) and value.strip().lower() in NOT_AVAILABLE else value


def _period(frequency: Any, source: str) -> float | None:
    """Convert a sampling frequency (Hz), which XCP-D writes instead of the repetition time."""
    # "TR" stands in some files instead of a number, and means that RepetitionTime has it.
    if _given(frequency) is None or frequency == "TR":
        return None
    try:
        hertz = float(frequency)
    except (TypeError, ValueError):
        hertz = math.nan
    if not 0 < hertz < math.inf:
        raise ScanError(f"SamplingFrequency is '{frequency}' in {source}; a number of Hz is needed")
    return 1 / hertz
