"""Settings of the stage `scaling_curve`."""

from __future__ import annotations

from typing import Literal

from semantoks.config import Settings


class ScalingCurveSettings(Settings):
    """Settings of the curves of scores against pretraining people."""

    version: Literal[2] = 2
