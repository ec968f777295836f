"""Settings of the stage `card`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import CardProbe, Settings


class CardSettings(Settings):
    """Settings that the card of a representation depends on."""

    version: Literal[5] = 5
    probe: CardProbe = Field(CardProbe(), description="Inner folds and strengths of the probe.")
    site_column: str | None = Field(None, description="Column of the site.")
    group_column: str | None = Field(None, description="Column of the family.")
