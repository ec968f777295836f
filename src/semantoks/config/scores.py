"""How representations are scored, and what the report shows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from semantoks.config.base import Settings

Strength = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Splits(Settings):
    """Who is trained on and who is tested on."""

    test_fraction: float = Field(0.2, gt=0, lt=1, description="Part of the people tested on.")
    seed: int = Field(0, ge=0, description="Seed of the splits.")


class Probe(Settings):
    """How representations are scored against phenotypes."""

    repeats: int = Field(10, ge=1, le=100, description="How many of the 100 splits are scored.")
    inner_folds: int = Field(5, ge=2, description="Folds inside the training part.")
    strengths: list[Strength] = Field(
        [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2],
        min_length=1,
        description="L2 strengths to choose from, relative to rows of unit length.",
    )


class Report(Settings):
    """What the report shows."""

    participants: bool = Field(True, description="Name excluded scans by their participant id.")
