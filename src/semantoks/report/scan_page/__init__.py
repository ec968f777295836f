"""Pages with pictures of every scan of a shard, for a look at their quality."""
