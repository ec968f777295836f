"""What is in a data set: its scans, its people, and who goes into which shard."""
