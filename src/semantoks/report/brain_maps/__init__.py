"""Figures of networks on the brain."""
