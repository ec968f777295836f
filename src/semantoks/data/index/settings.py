"""Settings of `index`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import IndexedDataset, Settings


class IndexSettings(Settings):
    """What the tables of a data set depend on."""

    version: Literal[4] = 4
    dataset: IndexedDataset = Field(IndexedDataset(), description="How the data set is read.")
    combines_echoes: bool = Field(
        False, description="Whether the engine combines the echoes of a run, as fMRIPrep does."
    )
