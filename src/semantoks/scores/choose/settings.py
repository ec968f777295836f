"""Settings of the stage `choose`."""

from __future__ import annotations

from typing import Literal

from semantoks.config import Settings


class ChooseSettings(Settings):
    """Settings of the row that chooses among others."""

    version: Literal[1] = 1
