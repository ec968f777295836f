"""From time series to scores: representations, splits, probes and their comparison."""
