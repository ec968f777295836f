"""Settings of `scans`."""

from __future__ import annotations

from typing import Literal

from semantoks.config import Settings


class ScansSettings(Settings):
    """The scan table depends on the time-series files and the list of held-out people alone."""

    version: Literal[4] = 4
