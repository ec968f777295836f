"""Settings of the stage `benchmark`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Phenotype, Settings


class BenchmarkSettings(Settings):
    """Settings that a comparison depends on."""

    version: Literal[8] = 8
    phenotype: Phenotype | None = Field(
        None, description="What was predicted, with published scores."
    )
