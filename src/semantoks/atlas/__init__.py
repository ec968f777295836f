"""Atlases: a label image, a table that names each label and its network, and where both are from.

One module per family of atlases builds it; `checks` looks at what any of them made; `files` knows
what lies on disk. Everything that other code needs is named here.
"""

from semantoks.atlas import checks
from semantoks.atlas.files import Atlas, about_path, read_regions, same_space
from semantoks.atlas.get import get_atlas
from semantoks.config import AtlasFiles

__all__ = ["Atlas", "AtlasFiles", "about_path", "checks", "get_atlas", "read_regions", "same_space"]
