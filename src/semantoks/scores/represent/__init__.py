"""Representations that need no model."""
