"""Published tasks, presets of data sets, and rows of the paper, in YAML files with their sources.

- ``tasks/<name>.yaml``: what is predicted, published scores (keys of `semantoks.config.Phenotype`).
  ``preset`` names the data set that it is made of; ``dataset`` holds keys of the data set that only
  this task needs, ``baselines`` its baselines; ``row: true`` marks the tasks that
  `semantoks.config.rows` makes a run of.
- ``presets/<name>.yaml``: how a holder ships a data set (keys of `semantoks.config.Dataset`).
- ``row.yaml``: what all rows have in common (keys of `semantoks.config.Config`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

# Keys of a task that are no keys of a phenotype.
_OF_THE_ROW = ("preset", "dataset", "baselines", "row")


def names() -> list[str]:
    """Names of the published tasks."""
    return _names("tasks")


def read(name: str) -> dict[str, Any]:
    """Read a published task: the keys of `semantoks.config.Phenotype`."""
    return {key: value for key, value in entry(name).items() if key not in _OF_THE_ROW}


def entry(name: str) -> dict[str, Any]:
    """Read the whole file of a published task."""
    return _read("tasks", name)


def row_names() -> list[str]:
    """Names of the tasks that can be run by name alone."""
    return [name for name in names() if entry(name).get("row")]


def row_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return the preset of a row, and the keys of the data set that its task adds."""
    content = entry(name)
    return str(content["preset"]), content.get("dataset", {})


def row_defaults(name: str) -> dict[str, Any]:
    """Read what all rows have in common, and the baselines of a row: keys of the configuration."""
    of_task = {key: value for key, value in entry(name).items() if key == "baselines"}
    return _load("row.yaml") | of_task


def preset_names() -> list[str]:
    """Names of the presets."""
    return _names("presets")


def read_preset(name: str) -> dict[str, Any]:
    """Read a preset: keys of `semantoks.config.Dataset`."""
    return _read("presets", name)


def preset_text(name: str) -> str:
    """Return the file of a preset, with the comments that give reasons and sources."""
    return _text(f"presets/{name}.yaml")


def class_names(preset: str) -> dict[str, dict[str, str]]:
    """Names of the classes of columns of a preset, by value, as its published tasks give them.

    Columns whose values a task merges are left out.
    """
    named = dict[str, dict[str, str]]()
    for content in map(entry, names()):
        values = content.get("values", {})
        if content.get("preset") == preset and len(set(values.values())) == len(values) > 0:
            columns = content["column"]
            named |= dict.fromkeys([columns] if isinstance(columns, str) else columns, values)
    return named


def _names(folder: str) -> list[str]:
    entries = (files(__name__) / folder).iterdir()
    return sorted(x.name.removesuffix(".yaml") for x in entries if x.name.endswith(".yaml"))


def _read(folder: str, name: str) -> dict[str, Any]:
    return _load(f"{folder}/{name}.yaml")


@cache
def _load(file: str) -> dict[str, Any]:
    # The cache gives all callers the same dictionary, so none may change it.
    content: dict[str, Any] = yaml.safe_load(_text(file))
    return content


def _text(file: str) -> str:
    return (files(__name__) / file).read_text(encoding="utf-8")
