"""Settings of the stage `brain_maps`."""

from __future__ import annotations

from typing import Literal

from semantoks.config import Settings


class BrainMapsSettings(Settings):
    """Settings of the maps of networks."""

    version: Literal[2] = 2
