"""Find files by a template such as ``{participant}/rest_{run}.nii.gz``."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from semantoks.errors import LONGEST_PATH, shown

log = logging.getLogger(__name__)
MAX_STEPS = 100_000  # a tenth of a second; a name without repeated entities takes a few hundred


def find_by_template(folder: Path, template: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield the files that fit a template, sorted, with the entities in their names.

    As in glob, ``*`` stands for any part of a single folder or file name. An entity that is
    repeated has the same value in all positions.
    """
    # glob narrows the search but cannot extract entities. Other characters that glob reserves, such
    # as brackets, stand for themselves; `**` would search folders at any depth.
    pattern = glob.escape(re.sub(r"{\w+}", "*", template)).replace("[*]", "*")
    for path in sorted(folder.glob(re.sub(r"\*+", "*", pattern))):
        entities = entities_by_template(path.relative_to(folder).as_posix(), template)
        if entities is not None:
            yield path, entities


def entities_by_template(text: str, template: str) -> dict[str, str] | None:
    """Return the entities in a relative path; None if the template does not fit it.

    Entities are as short as possible and ``*`` as long as possible, from the left. A regular
    expression would say the same, but with several stars it can take minutes for one name.
    """
    try:
        return _Match(text, _parts(template)).values_from(0, 0, {})
    except _AmbiguousError:
        log.warning(
            "%s is left out: the template %s fits it in too many ways; write more of the names",
            *(shown(text, LONGEST_PATH), template),
        )
        return None


def fill_template(template: str, entities: Mapping[str, str]) -> str:
    """Return the path that a template without stars stands for."""
    return re.sub(r"{(\w+)}", lambda match: entities[match[1]], template)


class _AmbiguousError(Exception):
    """Entities that are repeated can fit in as many ways as there are values of all of them."""


@dataclass(frozen=True)
class _Part:
    """A text (without a name), a star (neither), or an entity (with a name)."""

    text: str = ""
    name: str = ""


def _parts(template: str) -> list[_Part]:
    parts = list[_Part]()
    for text, name in re.findall(r"([^{}]*)(?:{(\w+)})?", template):
        for piece in re.split(r"(\*)\**", text):
            parts += [_Part()] if piece == "*" else [_Part(text=piece)] if piece else []
        parts += [_Part(name=name)] if name else []
    return parts


@dataclass
class _Match:
    """Matching of a path; what has failed is not tried again, which makes it linear."""

    text: str
    parts: list[_Part]
    # End of a part, from which on the rest does not fit; by part, folder and values needed later.
    _fails_from: dict[object, int] = field(default_factory=dict)
    _steps: int = 0

    def values_from(self, index: int, start: int, values: dict[str, str]) -> dict[str, str] | None:
        """Match the parts from `index` on with the text from `start` on."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise _AmbiguousError
        if index == len(self.parts):
            return values if start == len(self.text) else None
        part = self.parts[index]
        fixed = part.text or values.get(part.name, "")
        if fixed:
            fits = self.text.startswith(fixed, start)
            return self.values_from(index + 1, start + len(fixed), values) if fits else None
        return self._any(index, start, values)

    def _any(self, index: int, start: int, values: dict[str, str]) -> dict[str, str] | None:
        """Match a star or a new entity, and then the parts after it."""
        name = self.parts[index].name
        later = {part.name for part in self.parts[index + 1 :] if part.name}
        folder_end = self.text.find("/", start)
        folder_end = len(self.text) if folder_end < 0 else folder_end
        known = tuple(sorted((key, text) for key, text in values.items() if key in later))
        # Where the value itself is needed later, the rest depends on its start as well.
        key = (index, folder_end, known, start if name in later else None)
        first = start + 1 if name else start
        limit = self._fails_from.get(key, folder_end + 1)
        ends = range(first, limit)
        for end in ends if name else reversed(ends):
            rest = {**values, name: self.text[start:end]} if name else values
            matched = self.values_from(index + 1, end, rest)
            if matched is not None:
                return matched
        self._fails_from[key] = min(limit, first)
        return None
