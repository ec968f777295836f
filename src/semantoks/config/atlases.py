"""Atlases: the names of those that are built in, and files of one's own."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field, model_validator

from semantoks.config.base import Settings
from semantoks.config.suggestions import suggest

SCHAEFER = r"schaefer([1-9]00|1000)x(7|17)"
BUILT_IN = rf"semantoks457|seitzman300|cc200|{SCHAEFER}"
KNOWN_ATLASES = "semantoks457, seitzman300, cc200, schaefer{100 to 1000}x{7,17}"


class AtlasFiles(Settings):
    """An atlas that is not built in."""

    image: str | None = Field(
        None,
        description="Label image, NIfTI or CIFTI (`.dlabel.nii`). Not needed if all data sets have "
        "`source: timeseries`.",
    )
    table: str = Field(
        description="TSV or CSV with the columns `index` (label number), `name` and "
        "`network`, in the order of the time series; a column `hemisphere` or `hemi` (L, R) is "
        "used if present."
    )
    space: str | None = Field(
        None,
        min_length=1,
        description="Template space of the image, such as `MNI152NLin6Asym`; needed with `image`.",
    )

    @model_validator(mode="after")
    def _image_has_space(self) -> AtlasFiles:
        if self.image is not None and self.space is None:
            raise ValueError("'space' is missing; name the template space of the image")
        return self


def nearest_atlas(name: str, custom: Iterable[str]) -> str:
    """Suggest an atlas for a name that is unknown."""
    sizes = [f"schaefer{regions}00x{networks}" for regions in range(1, 11) for networks in (7, 17)]
    known = [*custom, "seitzman300", "semantoks457", "cc200", *sizes]
    return suggest(name, known, ", ".join([*custom, KNOWN_ATLASES]))
