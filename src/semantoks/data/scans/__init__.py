"""The scan table of a data set: every scan of all shards, without the time series."""
