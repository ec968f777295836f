"""Settings of the rule `pretrain`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import PeopleFraction, Pretraining, Settings


class PretrainSettings(Settings):
    """Settings of `pretrain`, on which a pretrained model depends."""

    version: Literal[3] = 3
    model: Pretraining = Field(Pretraining(), description="Architecture and training.")
    people: PeopleFraction | None = Field(
        None,
        # So that settings without it are what they were.
        exclude_if=lambda people: people is None,
        description="Fraction of the people to fit to (default: all).",
    )
