"""Metadata of raw images, which their JSON sidecars state."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from semantoks.data.index.bids_files import BidsFile, RawDataset
from semantoks.data.index.inheritance import Inheritance
from semantoks.errors import ScanError

KEYS = ("RepetitionTime", "SliceTiming", "SliceEncodingDirection", "VolumeTiming")


@dataclass(frozen=True)
class Metadata:
    """What the sidecars state about a run.

    Attributes
    ----------
    repetition_time : float
        Seconds; NaN if no sidecar states it.
    slice_timing : list of float or None
    slice_encoding_direction : str
    """

    repetition_time: float = math.nan
    slice_timing: list[float] | None = None
    slice_encoding_direction: str = "k"

    @classmethod
    def of(cls, merged: Mapping[str, Any]) -> Metadata:
        """Check the types of merged sidecars.

        Raises
        ------
        ScanError
            When a value has the wrong type, or the volumes are not a TR apart.
        """
        if "VolumeTiming" in merged:
            raise ScanError("the sidecars have VolumeTiming: volumes are not a fixed TR apart")
        tr, times = merged.get("RepetitionTime", math.nan), merged.get("SliceTiming")
        direction = merged.get("SliceEncodingDirection", "k")
        if "RepetitionTime" in merged and not _is_number(tr):
            raise ScanError(f"RepetitionTime is {_short(tr)} in the sidecars, not a number")
        if times is not None and not (isinstance(times, list) and all(map(_is_number, times))):
            raise ScanError(
                f"SliceTiming is {_short(times)} in the sidecars, not a list of numbers"
            )
        if not isinstance(direction, str):
            raise ScanError(f"SliceEncodingDirection is {_short(direction)}, not a text")
        return cls(float(tr), times, direction)


def _is_number(value: object) -> bool:
    # `true` is an int in Python, and Python's JSON reads NaN and Infinity.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(float(str(value)))


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else f"{text[:60]}…"


@dataclass(frozen=True)
class Sidecars:
    """Reads the sidecars of a raw data set."""

    dataset: RawDataset

    def of(self, image: BidsFile) -> Metadata:
        """Read the metadata of an image; see `Inheritance`.

        Raises
        ------
        ScanError
            When a file cannot be read, equally specific files disagree, or a value has the wrong
            type.
        """
        stated = self._inheritance.of(image)
        return Metadata.of({key: value for key, (value, _) in stated.items()})

    @cached_property
    def _inheritance(self) -> Inheritance:
        return Inheritance(self.dataset.root, KEYS, self.dataset.ignores)
