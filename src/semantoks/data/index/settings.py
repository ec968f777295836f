"""Settings of `index`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import ColumnNames, IndexedDataset, Settings


class IndexSettings(Settings):
    """What the tables of a data set depend on."""

    version: Literal[8] = 8
    dataset: IndexedDataset = Field(IndexedDataset(), description="How the data set is read.")
    by_fmriprep: bool = Field(
        False,
        description="Whether fMRIPrep preprocesses it, which combines echoes by itself.",
    )
    group_column: ColumnNames | None = Field(
        None, description="Column of the family, if people are held out."
    )
