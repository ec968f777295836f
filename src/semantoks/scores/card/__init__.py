"""The card of a representation: leakage of covariates and test-retest reliability."""
