"""Settings of the stage `represent`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import ConfoundColumns


class RepresentSettings(ConfoundColumns):
    """Settings that a representation without a model depends on."""

    version: Literal[10] = 10
    seconds: float | None = Field(
        None, gt=0, description="Only the first so many seconds of each scan are used."
    )
