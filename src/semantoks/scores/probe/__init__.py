"""Linear probes that score representations against a phenotype."""
