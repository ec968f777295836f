"""Benchmarks of speed and memory; each reports ratios measured within a single run."""
