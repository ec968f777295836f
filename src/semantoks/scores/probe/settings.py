"""Settings of the `probe` rule."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Probe, Settings


class ProbeSettings(Settings):
    """Settings that the scores of a representation depend on."""

    version: Literal[7] = 7
    probe: Probe = Field(Probe(), description="Protocol, strengths, permutations and confounds.")
    column: str | None = Field(
        None, description="Column of the phenotype; features of this name are dropped."
    )
    site_column: str | None = Field(
        None,
        description="Column of the site; if it is the phenotype, the feature `site` is dropped.",
    )
