"""What is in a data set: its scans, its people, and who goes into which shard."""

from semantoks.index.table import index, shard_of

__all__ = ["index", "shard_of"]
