"""Representations by encoders of other packages."""
