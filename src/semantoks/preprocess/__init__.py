"""Raw BIDS images to images in template space with confounds, in fMRIPrep's layout."""

from semantoks.preprocess.derivatives import engine_version
from semantoks.preprocess.shard import preprocess

__all__ = ["engine_version", "preprocess"]
