"""Settings of the rule `embed`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import ManifestField, Readout, Settings


class EmbedSettings(Settings):
    """Settings of `embed`, on which an embedding depends."""

    version: Literal[7] = 7
    readout: Readout = Field("pooled", description="Which vectors of the encoder are kept.")
    allow_mismatch: list[ManifestField] = Field(
        [], description="Fields of the time series' manifest that may differ from the model's."
    )
