"""Settings of `parcellate`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Origin, Parcellation, Settings


class ParcellateSettings(Settings):
    """What regional time series depend on."""

    version: Literal[10] = 10
    atlas: str = Field(description="Name of the atlas.")
    origin: Origin = Field(Origin(), description="What the folder of the data set holds.")
    parcellation: Parcellation = Field(
        Parcellation(), description="Confounds, band-pass, TR and thresholds of quality."
    )
