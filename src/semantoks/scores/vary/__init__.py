"""Scores of a phenotype in the main analysis and in variants of it."""
