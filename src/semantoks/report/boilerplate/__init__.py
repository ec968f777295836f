"""Methods and references of a run, in words that can be pasted into a paper."""
