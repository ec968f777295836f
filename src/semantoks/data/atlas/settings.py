"""What an atlas depends on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import AtlasFiles, Settings


class GetAtlasSettings(Settings):
    """What an atlas depends on."""

    version: Literal[2] = 2
    atlas: str = Field(description="Name of a built-in atlas, or your own name for `custom`.")
    custom: AtlasFiles | None = Field(None, description="Image and table of an atlas of your own.")
    atlas_dir: str | None = Field(
        None, description="Folder with the published files, used instead of downloading them."
    )
