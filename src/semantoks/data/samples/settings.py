"""Settings of `samples`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import ColumnNames, Settings


class SamplesSettings(Settings):
    """Settings of the table of blocks."""

    version: Literal[1] = 1
    group_column: ColumnNames | None = Field(
        None, description="Column of the family; a person without one is a family of their own."
    )
