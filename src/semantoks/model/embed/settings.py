"""Settings of the rule `embed`, on which an embedding depends."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from semantoks.config import Block, ColumnNames, ManifestField, Readout, Recentre, Settings


class EmbedSettings(Settings):
    """Settings of `embed`, on which an embedding depends."""

    version: Literal[9] = 9
    readout: Readout = Field("pooled", description="What is read out of the model.")
    blocks: list[Block] = Field([], description="Blocks of the readout `full`.")
    recentre: Recentre = Field(
        "none", description="`site`: use the mean covariance of each site as the reference."
    )
    site_column: ColumnNames | None = Field(
        None, description="Column of the site, for `recentre: site`."
    )
    seconds: float | None = Field(
        None, gt=0, description="Only the first so many seconds of each scan are used."
    )
    allow_mismatch: list[ManifestField] = Field(
        [], description="Fields of the time series' manifest that may differ from the model's."
    )

    @model_validator(mode="after")
    def _has_blocks(self) -> EmbedSettings:
        if not self.blocks_read:
            raise ValueError("the readout full consists of `blocks`, but names none; name some")
        return self

    @property
    def blocks_read(self) -> list[Block]:
        """Blocks of which the readout consists."""
        return self.blocks if self.readout == "full" else [self.readout]
