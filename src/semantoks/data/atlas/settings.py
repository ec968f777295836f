"""Settings of `get_atlas`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from semantoks.config import AtlasFiles, Settings


class GetAtlasSettings(Settings):
    """Everything that an atlas depends on."""

    version: Literal[3] = 3
    atlas: str = Field(description="Name of a built-in atlas, or any name for a custom one.")
    custom: AtlasFiles | None = Field(None, description="Image and table of a custom atlas.")
    atlas_dir: str | None = Field(
        None, description="Folder with the published files, used instead of downloading them."
    )
