"""The table of all scans of a data set."""
