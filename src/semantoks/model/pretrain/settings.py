"""Settings of the rule `pretrain`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Pretraining, Settings


class PretrainSettings(Settings):
    """Settings of `pretrain`, on which a pretrained model depends."""

    version: Literal[3] = 3
    model: Pretraining = Field(Pretraining(), description="Architecture and training.")
