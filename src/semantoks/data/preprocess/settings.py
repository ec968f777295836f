"""Settings of the stage `preprocess`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Preprocessing, Settings


class PreprocessSettings(Settings):
    """Settings that preprocessed images depend on."""

    version: Literal[4] = 4
    preprocessing: Preprocessing = Field(Preprocessing(), description="Engine and voxel sizes.")
