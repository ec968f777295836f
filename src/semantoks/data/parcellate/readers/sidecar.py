"""JSON sidecars of images and tables, and the repetition time of tables."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from semantoks.data.signals import require_repetition_time
from semantoks.errors import ScanError

# In the order of removal: `.nii.gz` loses `.gz` first, `.dtseries.nii` loses `.nii` first.
SUFFIXES = (".gz", ".nii", ".dtseries", ".tsv", ".csv", ".npy", ".mat", ".1D", ".txt")
NOT_AVAILABLE = ("", "n/a", "na", "nan")


def sidecar_of(path: Path) -> Path:
    """Return the path of the JSON file beside an image or a table, whether it exists or not."""
    stem = path.name
    for suffix in SUFFIXES:
        stem = stem.removesuffix(suffix)
    file = path.with_name(f"{stem}.json")
    # Some versions of fMRIPrep keep `.dtseries` in the name of the sidecar.
    if not file.exists() and path.name.endswith(".dtseries.nii"):
        return path.with_name(f"{stem}.dtseries.json")
    return file


def read_sidecar(path: Path) -> dict[str, Any]:
    """Read the JSON file beside an image or a table, without keys whose value is null.

    Raises
    ------
    ScanError
        When there is none, or it is not a JSON object.
    """
    file = sidecar_of(path)
    if not file.exists():
        expected = file.name.replace(".dtseries.json", ".json")
        raise ScanError(f"there is no {expected} beside {path.name}")
    try:
        # utf-8-sig: some editors put a byte order mark at the start.
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError) as error:
        raise ScanError(f"{file.name} is not readable JSON ({error})") from error
    if not isinstance(content, dict):
        raise ScanError(f"{file.name} is JSON, but not an object of keys and values")
    return {key: value for key, value in content.items() if value is not None}


def repetition_time(path: Path, configured: float, stated: float | None = None) -> float:
    """Return the repetition time (s): what the files say, else the configured one.

    Parameters
    ----------
    path : Path
        The JSON file beside it has ``RepetitionTime``, or ``SamplingFrequency`` in Hz.
    configured : float
        NaN if there is none.
    stated : float, optional
        What the file itself says.

    Raises
    ------
    ScanError
        When there is none, it is not plausible, or the files contradict themselves.
    """
    name = sidecar_of(path).name
    sidecar = read_sidecar(path) if sidecar_of(path).exists() else {}
    values = {
        f"{name} (RepetitionTime)": _given(sidecar.get("RepetitionTime")),
        f"{name} (SamplingFrequency)": _period(sidecar.get("SamplingFrequency"), name),
        path.name: stated,
    }
    seconds = {
        source: require_repetition_time(value, source)
        for source, value in values.items()
        if value is not None
    }
    if not seconds and math.isnan(configured):
        if not sidecar_of(path).exists():
            raise ScanError(
                f"no repetition time: there is no {name} beside {path.name}, and no "
                "`repetition_time` of the data set"
            )
        raise ScanError(
            f"no repetition time: {name} has no RepetitionTime and no SamplingFrequency, and the "
            "data set no `repetition_time`"
        )
    if seconds and not math.isclose(max(seconds.values()), min(seconds.values()), rel_tol=0.01):
        listed = ", ".join(f"{value:g} s in {source}" for source, value in seconds.items())
        raise ScanError(f"the repetition time is not clear: {listed}")
    of_files = next(iter(seconds.values()), None)
    return of_files or require_repetition_time(configured, "`repetition_time`")


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
