"""Settings of the stage `split`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import ColumnNames, ConfoundColumns, Phenotype, Splitting


class SplitSettings(ConfoundColumns):
    """Settings that the splits of a phenotype depend on."""

    version: Literal[10] = 10
    name: str = Field(description="Name of the phenotype, and its column unless that is given.")
    phenotype: Phenotype = Field(description="What is predicted, and of whom.")
    group_column: ColumnNames | None = Field(None, description="Column of the family.")
    of_blocks: bool = Field(False, description="Rows are blocks, with their person.")
    splits: Splitting = Field(Splitting(), description="Sizes of the parts, seed and matching.")
