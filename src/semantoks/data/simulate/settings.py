"""Settings of `simulate`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings, Simulation


class SimulateSettings(Settings):
    """Everything that a simulated data set depends on."""

    version: Literal[1] = 1
    simulate: Simulation = Field(Simulation(), description="Participants and scans to simulate.")
    source: Literal["bids", "timeseries"] = Field(
        "bids", description="Raw images, or only the time series of the regions."
    )
