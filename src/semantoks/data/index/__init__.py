"""What a data set contains: its scans, its participants, and the scans of each shard."""
