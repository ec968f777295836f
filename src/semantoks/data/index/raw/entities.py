"""Choose images by the entities in their names, as PyBIDS and fMRIPrep do."""

from __future__ import annotations

from collections.abc import Mapping

from semantoks.config import EntityFilter
from semantoks.data.layout import INDICES

ANY = "*"
# Phase, real and imaginary images are not what an MRI scanner shows by default.
MAGNITUDE: EntityFilter = {"part": ["mag", None]}


def selects(chosen: EntityFilter, entities: Mapping[str, str]) -> bool:
    """Whether a file is chosen.

    Parameters
    ----------
    chosen : mapping
        Entity to a value or a list of values; None for files without the entity, ``*`` for those
        with it, whatever its value is.
    entities : mapping of str to str
        Those of the file.
    """
    return all(
        any(_equals(name, value, entities.get(name)) for value in _as_list(values))
        for name, values in chosen.items()
    )


def _as_list(values: object) -> list[object]:
    return values if isinstance(values, list) else [values]


def _equals(name: str, value: object, label: str | None) -> bool:
    if value is None or label is None:
        return value is label
    # YAML reads 01 as a number; `run-01` and `run-1` are the same, `acq-01` and `acq-1` are not.
    if isinstance(value, int) or (name in INDICES and str(value).isdecimal()):
        return label.isdecimal() and int(label) == int(str(value))
    return value in (ANY, label)


def describe(chosen: EntityFilter) -> str:
    """Write a filter as a user would."""
    return ", ".join(f"{name}: {'null' if x is None else x}" for name, x in chosen.items())
