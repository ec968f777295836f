"""Representations that were made elsewhere and are read from files."""
