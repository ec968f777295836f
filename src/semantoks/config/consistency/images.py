"""Atlas, engine and images of the data sets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from semantoks.config.atlases import BUILT_IN, nearest_atlas
from semantoks.config.preprocessing import MINIMAL_SPACE

if TYPE_CHECKING:
    from semantoks.config.schema import Config


def require_atlas(config: Config) -> None:
    """Refuse an atlas that is not known."""
    taken = [name for name in config.atlases if re.fullmatch(BUILT_IN, name)]
    if taken:
        raise ValueError(f"atlases.{taken[0]}: that is a built-in atlas; choose another name")
    if config.atlas not in config.atlases and not re.fullmatch(BUILT_IN, config.atlas):
        raise ValueError(
            f"atlas is '{config.atlas}'; {nearest_atlas(config.atlas, config.atlases)}"
        )


def require_image(config: Config) -> None:
    """Only time series can do with an atlas that is a table of regions."""
    custom = config.atlases.get(config.atlas)
    for name, dataset in config.datasets.items():
        if custom and custom.image is None and dataset.source != "timeseries":
            raise ValueError(
                f"atlases.{config.atlas} has no 'image', and datasets.{name} needs one, because "
                f"its source is {dataset.source} (images); add 'image' and 'space', or use "
                "data sets with `source: timeseries` only"
            )


def require_space(config: Config) -> None:
    """Compare the atlas with what the engine writes; spheres fit every MNI152 template."""
    raw = [name for name, dataset in config.datasets.items() if dataset.source == "bids"]
    custom, engine = config.atlases.get(config.atlas), config.preprocessing.engine
    generic = "MNI152" if config.atlas == "seitzman300" else "MNI152NLin6Asym"
    atlas = custom.space if custom and custom.space else generic
    output = config.preprocessing.fmriprep.output_space.split(":")[0]
    images = MINIMAL_SPACE if engine == "minimal" else output
    if raw and atlas not in (images, "MNI152"):
        raise ValueError(
            f"the engine {engine} writes images in {images}, the atlas {config.atlas} is in "
            f"{atlas}; for {raw[0]} use the atlas seitzman300, or the engine fmriprep with an "
            "output_space that is the atlas's"
        )


def require_filters(config: Config) -> None:
    """FMRIPrep combines echoes by itself."""
    if config.preprocessing.engine == "minimal":
        return
    for name, dataset in config.datasets.items():
        if "echo" in dataset.entities:
            raise ValueError(
                f"datasets.{name}.entities.echo is for the built-in engine; fMRIPrep combines "
                "the echoes of a run, so take it out"
            )


def require_simulated_regions(config: Config) -> None:
    """Refuse simulated time series of another atlas than theirs."""
    for name, dataset in config.datasets.items():
        if dataset.simulate and dataset.source == "timeseries" and config.atlas != "seitzman300":
            raise ValueError(
                f"datasets.{name}.simulate makes time series of the atlas seitzman300, not of "
                f"{config.atlas}; simulate raw images (`source: bids`) or change the atlas"
            )
