"""Embedding of scans with a trained encoder."""
