"""Settings of the stage `represent`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings


class RepresentSettings(Settings):
    """Settings that a representation without a model depends on."""

    version: Literal[7] = 7
    site_column: str | None = Field(
        None, description="Column of the site, for `confounds` (default: site or site_id)."
    )
