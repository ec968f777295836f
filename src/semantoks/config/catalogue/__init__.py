"""The published tasks, one YAML file each: where the data come from, what is predicted, scores."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


def names() -> list[str]:
    """Names of the published tasks."""
    folder = files(__name__)
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith("yaml"))


@cache
def read(name: str) -> dict[str, Any]:
    """Read a published task: the keys of `semantoks.config.Task`."""
    text = (files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
    # The cache gives all callers the same dictionary, so none may change it.
    content: dict[str, Any] = yaml.safe_load(text)
    return content
