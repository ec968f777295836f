"""Settings of the stage `encode`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings


class EncodeSettings(Settings):
    """Settings of a representation by an encoder of another package."""

    version: Literal[1] = 1
    encoder: str = Field(description="Name of an entry point of the group `semantoks.encoders`.")
    package: str = Field(
        "", description="Package and version that offers it, such as `mynet 1.2` (default: any)."
    )
    seconds: float | None = Field(
        None, gt=0, description="Only the first so many seconds of each scan are used."
    )
