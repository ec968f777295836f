"""Settings of the stage `get_representation`."""

from __future__ import annotations

from typing import Literal

from semantoks.config import Settings


class GetRepresentationSettings(Settings):
    """Settings of a representation that is read from a file."""

    version: Literal[1] = 1
