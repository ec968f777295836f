"""Comparison of representations on one phenotype."""
