"""Exact L2 linear models: one decomposition for all strengths, classes, phenotypes and folds."""
