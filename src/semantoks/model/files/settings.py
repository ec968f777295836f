"""Settings of the rule `get_model`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings


class GetModelSettings(Settings):
    """Settings of `get_model`, on which a given model depends."""

    version: Literal[1] = 1
    checkpoint: str = Field(
        description="A folder, a `.pth` file of the reference implementation, or an id on the "
        "Hugging Face hub."
    )
