"""Settings of the stage `preprocess`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import EntityFilter, Preprocessing, Settings


class PreprocessSettings(Settings):
    """Settings that preprocessed images depend on."""

    version: Literal[5] = 5
    preprocessing: Preprocessing = Field(Preprocessing(), description="Engine and voxel sizes.")
    entities: EntityFilter = Field({}, description="BOLD images that fMRIPrep is to take.")
    t1w_entities: EntityFilter = Field({}, description="T1w images that fMRIPrep is to take.")
