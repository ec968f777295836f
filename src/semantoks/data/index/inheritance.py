"""The inheritance principle of BIDS: which JSON sidecars apply to a file, and what they state."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import chain, combinations, groupby
from pathlib import Path
from typing import Any, NamedTuple

from semantoks.data.index.bids_files import BidsFile
from semantoks.data.layout import DERIVED
from semantoks.errors import ScanError
from semantoks.gate import require_file

MAX_DEPTH = 5  # of a value that is used; comparing and writing deeper ones may exceed the stack
# Of images and of tables of time series: a sidecar beside a file of the same name is its own.
EXTENSIONS = (
    *(".dtseries.nii", ".ptseries.nii", ".nii.gz", ".nii"),
    *(".tsv", ".csv", ".npy", ".mat", ".1D", ".txt"),
)


def sidecar_names(path: str) -> list[str]:
    """List the names that the sidecar of a file may have; the first one is BIDS's."""
    name = Path(path).name
    extension = next((x for x in EXTENSIONS if name.endswith(x)), "")
    names = [f"{name.removesuffix(extension)}.json"]
    # Some versions of fMRIPrep keep `.dtseries`.
    return [*names, f"{name.removesuffix('.nii')}.json"] if extension.count(".") > 1 else names


_Entities = frozenset[tuple[str, str]]


class Stated(NamedTuple):
    """A value, and the sidecar that states it."""

    value: Any
    file: str


class _Sidecar(NamedTuple):
    """A sidecar; `owned` if a file of the same name is beside it."""

    file: BidsFile
    owned: bool

    def applies_to(self, image: BidsFile) -> bool:
        name = Path(self.file.path).name
        if self.file.extension != ".json" and name not in sidecar_names(image.path):
            return False
        if self.owned:
            return self.file.stem == image.stem
        entities = self.file.entities.items()
        return self.file.suffix == image.suffix and entities <= image.entities.items()

    def may_apply_to(self, image: BidsFile) -> bool:
        """Whether it applies to the same recording in this or another space."""
        return self.file.suffix == image.suffix and self.recording <= image.entities.items()

    @property
    def recording(self) -> _Entities:
        """Its entities without those that tell apart what was made of a recording."""
        return frozenset((key, x) for key, x in self.file.entities.items() if key not in DERIVED)


def _ignores_nothing(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Inheritance:
    """Merges the sidecars of a data set; every file and folder is read once.

    `bids2table.load_bids_metadata` merges in the order of the directory, applies the sidecars of
    other runs, replaces a broken file by the one above, and lets ``null`` hide a value.

    Attributes
    ----------
    root : Path
        The data set; paths are relative to it.
    keys : tuple of str
        What is read; other keys may contradict each other.
    ignores : callable
        Whether a sidecar is left out, by its path.
    """

    root: Path
    keys: tuple[str, ...]
    ignores: Callable[[str], bool] = _ignores_nothing
    _folders: dict[Path, dict[_Entities, list[_Sidecar]]] = field(default_factory=dict)
    _contents: dict[str, dict[str, Any] | str] = field(default_factory=dict)

    def of(self, image: BidsFile) -> dict[str, Stated]:
        """Merge what the sidecars of a file state.

        The files of a folder apply after those of the folders above it; within a folder, files
        with more entities apply after those with fewer, so that a file's own comes last.

        Raises
        ------
        ScanError
            When a sidecar cannot be read, or equally specific ones disagree.
        """
        merged, unsettled = dict[str, Stated](), dict[str, str]()
        applying = self.applying(image)
        for _, group in groupby(applying, lambda x: (Path(x.path).parent, len(x.entities))):
            values, conflicts = self._agreed(list(group))
            merged |= values
            unsettled = {key: x for key, x in unsettled.items() if key not in values}
            unsettled |= conflicts
        for key, names in unsettled.items():
            raise ScanError(f"{names} give different {key}, and neither is more specific")
        return merged

    def applying(self, image: BidsFile) -> list[BidsFile]:
        """List the sidecars that apply to a file, the most specific last."""
        if not Path(image.path).name.startswith("sub-"):
            # The name is not BIDS's, so it does not say what else would apply.
            beside = map((self.root / image.path).with_name, sidecar_names(image.path))
            existing = [path for path in beside if os.path.lexists(path)][:1]
            return [BidsFile.of(path.relative_to(self.root).as_posix()) for path in existing]
        return [x.file for x in self._near(image) if x.applies_to(image)]

    def of_recording(self, image: BidsFile) -> list[Path]:
        """List the sidecars that may apply to a recording, in whichever space."""
        files = self.applying(image)
        files += [x.file for x in self._near(image) if x.may_apply_to(image)]
        return [self.root / name for name in sorted({file.path for file in files})]

    def _near(self, image: BidsFile) -> list[_Sidecar]:
        """List sidecars without other entities, from the data set to the file's folder."""
        sidecars = list[_Sidecar]()
        for folder in reversed(Path(image.path).parents):
            by_entities = self._in(folder)
            keys = _parts_of(frozenset(image.entities.items()), by_entities)
            listed = [sidecar for key in keys for sidecar in by_entities[key]]
            sidecars += sorted(listed, key=lambda x: (len(x.file.entities), x.file.path))
        return sidecars

    def _agreed(self, files: list[BidsFile]) -> tuple[dict[str, Stated], dict[str, str]]:
        """Return the values of equally specific files, and the keys on which these disagree."""
        values, conflicts = dict[str, Stated](), dict[str, str]()
        for file in files:
            content = self._read(file.path)
            # `null` means unknown: it must not hide a value that a file above states.
            stated = {key: content[key] for key in self.keys if content.get(key) is not None}
            for key, value in stated.items():
                if values.setdefault(key, Stated(value, file.path)).value != value:
                    conflicts[key] = " and ".join(other.path for other in files)
        return values, conflicts

    def _in(self, folder: Path) -> dict[_Entities, list[_Sidecar]]:
        """Sidecars of a folder by the entities of their recordings."""
        if folder not in self._folders:
            # Of a large data set, the top folder has a folder per participant: skip these before
            # their names are parsed.
            with os.scandir(self.root / folder) as entries:
                names = [x.name for x in entries if x.name.endswith((*EXTENSIONS, ".json"))]
            files = [BidsFile.of((folder / name).as_posix()) for name in names]
            stems = {file.stem for file in files if file.extension in EXTENSIONS}
            sidecars = defaultdict[_Entities, list[_Sidecar]](list)
            for file in files:
                # macOS writes `._name.json` beside `name.json`.
                is_hidden = Path(file.path).name.startswith(".")
                is_json = file.extension.endswith(".json") and not is_hidden
                if is_json and not self.ignores(file.path):
                    sidecar = _Sidecar(file, file.stem in stems)
                    sidecars[sidecar.recording].append(sidecar)
            self._folders[folder] = dict(sidecars)
        return self._folders[folder]

    def _read(self, name: str) -> dict[str, Any]:
        if name not in self._contents:
            self._contents[name] = _content(self.root / name, self.keys)
        content = self._contents[name]
        if isinstance(content, str):
            raise ScanError(f"the sidecar {name} cannot be read ({content})")
        return content


def _parts_of(entities: _Entities, known: Collection[_Entities]) -> list[_Entities]:
    """List the known sets that are part of a set, without trying thousands of them."""
    if len(known) < 2 ** len(entities):
        return [key for key in known if key <= entities]
    sizes = range(len(entities) + 1)
    parts = chain.from_iterable(combinations(entities, size) for size in sizes)
    return [key for key in map(frozenset, parts) if key in known]


def _content(path: Path, keys: tuple[str, ...]) -> dict[str, Any] | str:
    """Read a sidecar, or return why that fails."""

    def unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        for key, value in pairs:
            # Python would take the last of several values.
            if key in keys and content[key] != value:
                raise ValueError(f"it has two different values of {key}")
        return content

    try:
        # The signature is a byte-order mark, which editors on Windows write.
        text = require_file(path).read_text(encoding="utf-8-sig")
        content = json.loads(text, object_pairs_hook=unambiguous)
    except (OSError, ValueError, RecursionError, ScanError) as error:
        return str(error)
    if not isinstance(content, dict):
        return "it is not a JSON object"
    deep = next((key for key in keys if _depth(content.get(key)) > MAX_DEPTH), None)
    return f"its {deep} is nested more than {MAX_DEPTH} deep" if deep else content


def _depth(value: object) -> int:
    """Return how deep lists and objects are nested, without recursion."""
    level, depth = [value], 0
    while level := [item for outer in level for item in _items(outer)]:
        depth += 1
    return depth


def _items(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
