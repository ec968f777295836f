"""Representations that need no model: connectivity, confounds and chance."""
