"""What was measured on real and simulated data, for docs/results.md."""
