"""Settings of the pages of scans."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings
from semantoks.config.origin import Source


class ScanPageSettings(Settings):
    """Settings of the page of one shard."""

    version: Literal[5] = 5
    dataset: str = Field(description="Name of the data set.")
    number: int = Field(ge=0, description="Number of the shard.")
    shards: int = Field(ge=1, description="Number of shards of the data set.")
    source: Source = Field("bids", description="What kind of data the data set holds.")
    participants: bool = Field(False, description="Whether scans may be named.")
    max_mean_fd: float = Field(description="Scans with more head motion are excluded, mm.")
