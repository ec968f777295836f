"""Settings of the stage `vary`."""

from __future__ import annotations

from typing import Literal

from semantoks.config import Settings


class VarySettings(Settings):
    """Settings of the comparison of variants with the main analysis."""

    version: Literal[2] = 2
