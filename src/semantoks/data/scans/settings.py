"""What the table of scans depends on: its input alone."""

from __future__ import annotations

from typing import Literal

from semantoks.config import Settings


class ScansSettings(Settings):
    """What the table of scans depends on: its input alone."""

    version: Literal[1] = 1
