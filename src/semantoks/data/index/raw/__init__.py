"""The runs of raw data sets, with the metadata and T1w images that preprocessing needs."""
