"""The result of every atlas builder, before it is checked and written."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from semantoks.data.atlas.download import SourceRecord
from semantoks.data.atlas.images import LabelImage


@dataclass(frozen=True)
class Built:
    """An atlas in memory.

    Attributes
    ----------
    image : nibabel image or None
        3-D label image, or a CIFTI dlabel; None for a table of regions without an image.
    regions : DataFrame
        ``index``, ``name``, ``network``, ``hemisphere`` (L, R or empty) and any further columns.
    space : str
        Name of the template space, such as ``MNI152NLin6Asym``; may be empty without an image.
    sources : list of SourceRecord
        Files that the atlas was built from.
    licence : str
    """

    image: LabelImage | None
    regions: pd.DataFrame
    space: str
    sources: list[SourceRecord]
    licence: str
