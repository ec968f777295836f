"""What a simulated data set depends on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings, Simulation


class SimulateSettings(Settings):
    """What a simulated data set depends on."""

    version: Literal[1] = 1
    simulate: Simulation = Field(Simulation(), description="The people and their scans.")
    source: Literal["bids", "timeseries"] = Field(
        "bids", description="Raw images, or the time series of their regions alone."
    )
