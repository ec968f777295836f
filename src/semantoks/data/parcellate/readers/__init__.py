"""One reader for each source of scans: derivatives, other images, and given time series."""
