"""Builders of atlases, one module per family; each returns a `built.Built`."""
