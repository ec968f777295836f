"""Metadata of raw images: JSON sidecars by the inheritance principle of BIDS."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from semantoks.data.index.bids_files import EXTENSIONS, BidsFile, RawDataset
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


class _Sidecar(NamedTuple):
    """A sidecar; `owned` if an image of the same name is beside it."""

    file: BidsFile
    owned: bool

    def applies_to(self, image: BidsFile) -> bool:
        if self.owned:
            return self.file.stem == image.stem
        entities = self.file.entities.items()
        return self.file.suffix == image.suffix and entities <= image.entities.items()


@dataclass(frozen=True)
class Sidecars:
    """Merges the sidecars of a data set; every file and folder is read once.

    `bids2table.load_bids_metadata` merges in the order of the directory, applies the sidecars of
    other runs, replaces a broken file by the one above, and lets ``null`` hide a value.
    """

    dataset: RawDataset
    _folders: dict[Path, list[_Sidecar]] = field(default_factory=dict)
    _contents: dict[str, dict[str, Any] | str] = field(default_factory=dict)

    def of(self, image: BidsFile) -> Metadata:
        """Read the metadata of an image.

        The files of a folder apply after those of the folders above it; within a folder, files
        with more entities apply after those with fewer, so that an image's own comes last.

        Raises
        ------
        ScanError
            When a file cannot be read, equally specific files disagree, or a value has the wrong
            type.
        """
        merged, unsettled = dict[str, Any](), dict[str, str]()
        for folder in reversed(Path(image.path).parents):
            applying = (x.file for x in self._in(folder) if x.applies_to(image))
            for _, equally_specific in groupby(applying, key=lambda file: len(file.entities)):
                values, conflicts = self._agreed(list(equally_specific))
                merged |= values
                unsettled = {key: x for key, x in unsettled.items() if key not in values}
                unsettled |= conflicts
        for key, names in unsettled.items():
            raise ScanError(f"{names} give different {key}, and neither is more specific")
        return Metadata.of(merged)

    def _agreed(self, files: list[BidsFile]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the values of equally specific files, and the keys on which these disagree."""
        values, conflicts = dict[str, Any](), dict[str, str]()
        for file in files:
            content = self._read(file.path)
            # `null` means unknown: it must not hide a value that a file above states.
            stated = {key: content[key] for key in KEYS if content.get(key) is not None}
            for key, value in stated.items():
                if values.setdefault(key, value) != value:
                    conflicts[key] = " and ".join(other.path for other in files)
        return values, conflicts

    def _in(self, folder: Path) -> list[_Sidecar]:
        """List the sidecars of a folder, those with fewer entities first."""
        if folder not in self._folders:
            paths = (self.dataset.root / folder).iterdir()
            files = [BidsFile.of((folder / path.name).as_posix()) for path in paths]
            images = {file.stem for file in files if file.extension in EXTENSIONS}
            sidecars = [
                _Sidecar(file, file.stem in images)
                for file in files
                # macOS writes `._name.json` beside `name.json`.
                if file.extension == ".json"
                and not file.stem.startswith(".")
                and not self.dataset.ignores(file.path)
            ]
            sidecars.sort(key=lambda sidecar: (len(sidecar.file.entities), sidecar.file.path))
            self._folders[folder] = sidecars
        return self._folders[folder]

    def _read(self, name: str) -> dict[str, Any]:
        if name not in self._contents:
            self._contents[name] = _content(self.dataset.root / name)
        content = self._contents[name]
        if isinstance(content, str):
            raise ScanError(f"the sidecar {name} cannot be read ({content})")
        return content


def _content(path: Path) -> dict[str, Any] | str:
    """Read a sidecar, or return why that fails."""
    try:
        # The signature is a byte-order mark, which editors on Windows write.
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text, object_pairs_hook=_unambiguous)
    except (OSError, ValueError, RecursionError) as error:
        return str(error)
    return content if isinstance(content, dict) else "it is not a JSON object"


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; Python would take the last of several values."""
    content = dict(pairs)
    for key, value in pairs:
        if key in KEYS and content[key] != value:
            raise ValueError(f"it has two different values of {key}")
    return content
