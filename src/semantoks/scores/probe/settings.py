"""What scores depend on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Probe, Settings


class ProbeSettings(Settings):
    """What scores depend on."""

    version: Literal[3] = 3
    probe: Probe = Field(Probe(), description="Protocol, strengths, permutations and confounds.")
    column: str | None = Field(
        None, description="Column of the phenotype, which is not among its own confounds."
    )
    site_column: str | None = Field(
        None, description="Column of the site, which is not among its own confounds either."
    )
