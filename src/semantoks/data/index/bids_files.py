"""The images of a raw BIDS data set and the entities in their names."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bids2table import parse_bids_entities
from pathspec import GitIgnoreSpec

from semantoks.data.layout import INDICES
from semantoks.errors import UserError
from semantoks.gate import Gate

log = logging.getLogger(__name__)
EXTENSIONS = (".nii.gz", ".nii")
DERIVED = ("space", "desc", "res", "den")  # entities that raw images never have


@dataclass(frozen=True)
class BidsFile:
    """A file with a BIDS name.

    Attributes
    ----------
    path : str
        Relative to the data set. Links are not resolved, so that folders above them are known.
    entities : dict of str to str
        Without suffix and extension; indices without leading zeros.
    suffix, extension : str
    """

    path: str
    entities: dict[str, str]
    suffix: str
    extension: str

    @classmethod
    def of(cls, path: str) -> BidsFile:
        """Parse the name of a file."""
        entities = parse_bids_entities(Path(path).name)
        suffix, extension = entities.pop("suffix", ""), entities.pop("ext", "")
        for name in INDICES:
            if entities.get(name, "").isdecimal():
                entities[name] = str(int(entities[name]))
        return cls(path, entities, suffix, extension)

    @property
    def stem(self) -> str:
        """Name without extension."""
        return Path(self.path).name.removesuffix(self.extension)

    @property
    def problem(self) -> str:
        """Why a file cannot be taken as the raw image that its name says; usually empty."""
        derived = [f"{key}-{self.entities[key]}" for key in DERIVED if key in self.entities]
        if derived:
            return (
                f"{self.stem} is no raw image ({derived[0]}): list it in .bidsignore, or set "
                "`source: fmriprep` for preprocessed images"
            )
        for folder in Path(self.path).parts[:-1]:
            key, _, label = folder.partition("-")
            if key in ("sub", "ses") and label != self.entities.get(key):
                return (
                    f"{self.stem} is in the folder {folder}, which contradicts its name: rename or "
                    "move it"
                )
        return ""


@dataclass(frozen=True)
class RawDataset:
    """A raw BIDS data set: the whole data set, or a folder of it.

    `bids2table` parses the names only. Its own search takes a dot or a bracket in the name of a
    data set for something else, and does not read ``.bidsignore``.
    """

    gate: Gate
    folder: Path | None = None

    @property
    def root(self) -> Path:
        """Folder of the data set, to which paths are relative."""
        return self.gate.root if self.folder is None else self.folder

    def images(self) -> list[BidsFile]:
        """List the NIfTI files below the participants' folders, sorted.

        Raises
        ------
        UserError
            When there is no such folder.
        """
        if not self.root.is_dir():
            raise UserError(
                f"There is no folder {self.root}. Set the data set's `path` in the configuration."
            )
        names = (name for path in self._participants() for name in self._below(path))
        return [BidsFile.of(name) for name in sorted(names) if name.endswith(EXTENSIONS)]

    def _participants(self) -> list[Path]:
        """List the participants' folders; say which are left out."""
        folders = sorted(self.root.glob("sub-*"))
        absent = [path for path in folders if not path.exists()]
        if absent:
            log.warning(
                "%d folder(s) of participants are links to folders that are not here: %s",
                *(len(absent), ", ".join(path.name for path in absent[:5])),
            )
        folders = [path for path in folders if path.is_dir() and self.gate.is_inside(path)]
        odd = [path for path in folders if not re.fullmatch(r"sub-[a-zA-Z0-9]+", path.name)]
        if odd:
            # In `sub-A_01_task-rest` the participant would be A, like that of `sub-A_02`.
            log.warning(
                "%d folder(s) of participants are left out, since BIDS labels have letters and "
                "digits only: %s",
                *(len(odd), ", ".join(path.name for path in odd[:5])),
            )
        return [path for path in folders if path not in odd]

    def ignores(self, name: str) -> bool:
        """Whether ``.bidsignore`` lists a relative path, in the syntax of ``.gitignore``."""
        return self._ignored.match_file(name)

    @cached_property
    def _ignored(self) -> GitIgnoreSpec:
        file = self.root / ".bidsignore"
        if not os.path.lexists(file):
            return GitIgnoreSpec.from_lines([])
        problem = self.gate.problem_of(file)
        if problem:
            raise UserError(f"{self.root}: {problem}")
        text = file.read_text(encoding="utf-8-sig", errors="replace")
        return GitIgnoreSpec.from_lines(text.splitlines())

    def _below(self, folder: Path) -> Iterator[str]:
        """Yield relative paths of a participant's files, below links to folders too."""
        for parent, names in self.gate.walk(folder):
            for name in names:
                path = (parent / name).relative_to(self.root).as_posix()
                if name.startswith("sub-") and not self.ignores(path):
                    yield path
                elif "." not in name and not (parent / name).exists():
                    log.warning("%s is a link to a folder that is not here", path)
