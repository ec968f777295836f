"""Settings of `blocks`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Events, Settings


class BlocksSettings(Settings):
    """What blocks depend on beside the cleaned runs and the files of events."""

    version: Literal[1] = 1
    events: Events = Field(Events(), description="Where the events are, and their windows.")
