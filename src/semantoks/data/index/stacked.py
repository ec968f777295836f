"""Group the files that a template finds into runs: a file each, or a stack of volumes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from semantoks.data.index.files import version_of
from semantoks.data.index.templates import find_by_template
from semantoks.data.stacks import stack_of, volumes_of
from semantoks.errors import ScanError
from semantoks.gate import Gate

TABLE = "participants"  # `{participant}.tsv` fits the table of participants too


@dataclass(frozen=True)
class TemplateRun:
    """A run that a template has found.

    Attributes
    ----------
    path : Path
        Its file; of a stack the name with ``*`` for the numbers, see `semantoks.data.stacks`.
    entities : dict of str to str
    files : list of Path
        Itself, or the volumes.
    """

    path: Path
    entities: dict[str, str]
    files: list[Path]

    @property
    def is_stack(self) -> bool:
        """Whether there is a file for each volume."""
        return self.files != [self.path]

    def problem(self, gate: Gate) -> str:
        """Return why it cannot be used; usually nothing."""
        problem = next(filter(None, map(gate.problem_of, self.files)), "")
        if problem or not self.is_stack:
            return problem
        try:
            volumes_of(self.path)
        except ScanError as error:
            return str(error)
        return ""

    def version(self, gate: Gate) -> str:
        """Hash sizes and times of its files, as far as they may be read."""
        return version_of(*(path for path in self.files if not gate.departure_of(path)))


def runs_by_template(gate: Gate, template: str, *, stacks: bool) -> Iterator[TemplateRun]:
    """Yield the runs that fit a template, sorted.

    Several files are one run if ``*`` is in the last part of the template, all entities are the
    same, the names differ in a number only, and each file is a single volume. Otherwise each is a
    run of its own.

    Parameters
    ----------
    gate : Gate
        Of the data set.
    template : str
    stacks : bool
        Whether files may be volumes: of images, not of time series.
    """
    groups: dict[tuple[object, ...], list[tuple[Path, dict[str, str]]]] = {}
    may_stack = stacks and "*" in template.rsplit("/", 1)[-1]
    for path, entities in find_by_template(gate.root, template):
        # Files below a link that leads elsewhere, such as those of other people, are not listed.
        if path.stem != TABLE and gate.is_inside(path.parent):
            key = (path.parent, *sorted(entities.items())) if may_stack else (path,)
            groups.setdefault(key, []).append((path, entities))
    for group in groups.values():
        paths, entities = [path for path, _ in group], group[0][1]
        stack = stack_of(paths) if len(paths) > 1 else None
        if stack is not None:
            yield TemplateRun(stack, entities, paths)
        else:
            for path, values in group:
                yield TemplateRun(path, values, [path])
