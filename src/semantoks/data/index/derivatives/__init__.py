"""The scans of data sets that start from preprocessed images or time series."""
