"""Raw BIDS images to images in template space with confounds, in fMRIPrep's layout."""

from semantoks.preprocess.shard import preprocess

__all__ = ["preprocess"]
