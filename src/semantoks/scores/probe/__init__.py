"""Linear probes: a representation is scored against a phenotype."""
