"""What a pretrained model depends on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Pretraining, Settings


class PretrainSettings(Settings):
    """What a pretrained model depends on."""

    version: Literal[3] = 3
    model: Pretraining = Field(Pretraining(), description="Architecture and training.")
