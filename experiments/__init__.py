"""Experiments on real and simulated data, reported in docs/results.md."""
