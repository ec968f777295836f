"""From data sets as they come to regional time series."""
