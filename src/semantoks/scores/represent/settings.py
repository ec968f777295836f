"""Settings of the stage `represent`."""

from __future__ import annotations

from typing import Literal

from semantoks.config import ConfoundColumns


class RepresentSettings(ConfoundColumns):
    """Settings that a representation without a model depends on."""

    version: Literal[9] = 9
