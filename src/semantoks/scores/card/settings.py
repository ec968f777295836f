"""Settings of the stage `card`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import CardProbe, ColumnNames, ConfoundColumns


class CardSettings(ConfoundColumns):
    """Settings that the card of a representation depends on."""

    version: Literal[8] = 8
    probe: CardProbe = Field(CardProbe(), description="Inner folds and strengths of the probe.")
    group_column: ColumnNames | None = Field(None, description="Column of the family.")
    harmonize: Literal["none", "combat"] = Field(
        "none", description="`combat`: measure leakage also with sites harmonised by ComBat."
    )
    of_blocks: bool = Field(False, description="Rows are blocks, with their person.")
