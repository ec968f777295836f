"""Scores against the number of pretraining people."""
