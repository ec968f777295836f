"""Settings of the rule `connectome`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import ConnectomeMap, ManifestField, PeopleFraction, Settings


class ConnectomeSettings(Settings):
    """Settings of `connectome`, on which reference covariances and the distilled map depend."""

    version: Literal[1] = 1
    checkpoint: str | None = Field(
        None, description="Model whose file is taken, instead of making one from time series."
    )
    map: ConnectomeMap | None = Field(
        ConnectomeMap(),
        description="The distilled map; null for an untrained model, which has none.",
    )
    allow_mismatch: list[ManifestField] = Field(
        [], description="Fields of the manifest in which the time series may differ."
    )
    people: PeopleFraction | None = Field(
        None,
        # So that settings without it are what they were.
        exclude_if=lambda people: people is None,
        description="Fraction of the people to fit to (default: all).",
    )
