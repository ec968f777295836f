"""Checks between groups of the configuration; each raises ValueError with what to do."""
