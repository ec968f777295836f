"""Names of models that are pretrained on a part of the people, and of their rows."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

# Of the people whom a model may see.
PeopleFraction = Annotated[float, Field(gt=0, le=1)]


def name_at(name: str, fraction: float) -> str:
    """Name a model, or a row of it, by the fraction of the people: ``brain@10pct``."""
    return name if fraction == 1 else f"{name}@{100 * fraction:.10g}pct"


def split_fraction(name: str) -> tuple[str, float]:
    """Split the name of a model or row into that of the whole model, and the fraction."""
    match = re.fullmatch(r"(.+)@([\d.]+)pct", name)
    return (name, 1.0) if match is None else (match[1], float(match[2]) / 100)
