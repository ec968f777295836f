"""The row that takes, fit by fit, the candidate that the inner folds favour."""
