"""Representations compared on one phenotype."""
