"""Find the files that hold the events of a run."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from semantoks.config import ENTITIES, Events, split_zip
from semantoks.data.blocks.events import read_bids_events, read_fsl_events
from semantoks.data.layout import DERIVED, INDICES, entities_of
from semantoks.data.zips import unpacked
from semantoks.errors import ScanError
from semantoks.gate import Gate

SUFFIX = "_events.tsv"
_LABELS = {"participant": "participant_id", "session": "session", "task": "task", "run": "run"}


@dataclass(frozen=True)
class EventSource:
    """Finds and reads the events of one run after another.

    Attributes
    ----------
    data : Path
        The data set (a file if it is HDF5).
    events : Events
    gate : Gate
        Of the folder that holds the events.
    """

    data: Path
    events: Events
    gate: Gate
    _listed: dict[Path, list[str]] = field(default_factory=dict)

    def read(self, run: Mapping[str, str]) -> pd.DataFrame:
        """Read all events of a run.

        Parameters
        ----------
        run : mapping of str to str
            Its row in the table of the shard.

        Raises
        ------
        ScanError
            When a file is missing, damaged, or not the only one.
        """
        if not self.events.files:
            return read_bids_events(self._bids_file(run))
        with ExitStack() as stack:
            files = {name: self._by_template(x, run) for name, x in self.events.files.items()}
            return read_fsl_events(
                {
                    name: stack.enter_context(unpacked(self._root, file))
                    for name, file in files.items()
                }
            )

    def _by_template(self, template: str, run: Mapping[str, str]) -> str:
        """Return the one file that a template means for a run; it may be in a zip file."""
        template, inner = split_zip(template)
        # Brackets of the template stand for themselves, as in `template` of the data set.
        name = glob.escape(template).replace("[*]", "*")
        for entity in ENTITIES:
            if f"{{{entity}}}" in name and not run[_LABELS[entity]]:
                raise ScanError(f"events: the run has no {entity}, which {template} needs")
            name = name.replace(f"{{{entity}}}", glob.escape(run[_LABELS[entity]]))
        files = sorted(self._root.glob(name))
        if len(files) != 1:
            what = f"{len(files)} files fit" if files else "there is no"
            raise ScanError(f"events: {what} {_filled(template, run)}")
        file = files[0].relative_to(self._root).as_posix()
        return f"{file}/{_filled(inner, run)}" if inner else file

    def _bids_file(self, run: Mapping[str, str]) -> Path:
        """Return the most specific ``*_events.tsv`` that applies to a run.

        Tables are inherited whole, not merged: that of the nearest folder, and in it that with the
        most entities, replaces the others. Source: the inheritance principle of BIDS 1.10.
        """
        entities = _entities(run)
        for folder in self._folders(run, entities):
            applying = [
                name for name in self._events_in(folder) if _own(name).items() <= entities.items()
            ]
            most = max((len(_own(name)) for name in applying), default=0)
            files = [name for name in applying if len(_own(name)) == most]
            if len(files) > 1:
                raise ScanError(f"events: {files[0]} and {files[1]} apply to the run alike")
            if files:
                return folder / files[0]
        raise ScanError(f"events: no *{SUFFIX} of the run in {self._root.name}")

    @property
    def _root(self) -> Path:
        return self.gate.root

    def _folders(self, run: Mapping[str, str], entities: Mapping[str, str]) -> list[Path]:
        """List the folders that may hold events of a run, the nearest first."""
        if self.events.path is None:
            file = run.get("bold") or run["file"]
            inside = [self._root / parent for parent in Path(file).parents]
            return inside if self._root.is_dir() else [self._root.parent]
        person = self._root / f"sub-{entities['sub']}"
        session = person / f"ses-{entities['ses']}" if "ses" in entities else person
        return list(dict.fromkeys((session / "func", session, person, self._root)))

    def _events_in(self, folder: Path) -> list[str]:
        if folder not in self._listed:
            is_there = folder.is_dir() and self.gate.is_inside(folder)
            names = sorted(path.name for path in folder.iterdir()) if is_there else []
            # macOS writes `._name` beside `name`.
            self._listed[folder] = [
                name for name in names if name.endswith(SUFFIX) and not name.startswith(".")
            ]
        return self._listed[folder]


def _filled(template: str, run: Mapping[str, str]) -> str:
    """Write the entities of a run into a template."""
    return template.format(**{entity: run[_LABELS[entity]] for entity in ENTITIES})


def _entities(run: Mapping[str, str]) -> dict[str, str]:
    """Entities of a run, from its row and as far as its name has further ones."""
    name = entities_of(run["scan"]) if run["scan"].startswith("sub-") else {}
    entities = {key: value for key, value in name.items() if key not in DERIVED}
    entities["sub"] = run["participant_id"].removeprefix("sub-")
    known = {"ses": run["session"].removeprefix("ses-"), "task": run["task"], "run": run["run"]}
    return _comparable(entities | {key: value for key, value in known.items() if value})


def _own(name: str) -> dict[str, str]:
    """Entities of a file of events."""
    return _comparable(entities_of(name.removesuffix(SUFFIX)))


def _comparable(entities: Mapping[str, str]) -> dict[str, str]:
    """Write indices without leading zeros: ``run-01`` and ``run-1`` are the same run."""
    return {
        key: str(int(value)) if key in INDICES and value.isdecimal() else value
        for key, value in entities.items()
    }
