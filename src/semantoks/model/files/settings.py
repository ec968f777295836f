"""What a given model depends on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import Settings


class GetModelSettings(Settings):
    """What a given model depends on."""

    version: Literal[1] = 1
    checkpoint: str = Field(
        description="A folder, a `.pth` file of the reference implementation, or an id on the "
        "Hugging Face hub."
    )
