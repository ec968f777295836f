"""Settings of the stage `finetune`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import CardProbe, FinetuneTraining, ManifestField, Settings


class FinetuneSettings(Settings):
    """Settings that a fine-tuned model and its scores depend on."""

    version: Literal[1] = 1
    training: FinetuneTraining = Field(FinetuneTraining(), description="Splits and training.")
    probe: CardProbe = Field(
        CardProbe(), description="Strengths and inner folds of the probe that the head starts from."
    )
    allow_mismatch: list[ManifestField] = Field(
        [], description="Fields of the time series' manifest that may differ from the model's."
    )
