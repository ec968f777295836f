"""Workspaces for the tests of the workflow."""

from tests.workspaces import finished, fresh, shared_folder, simulated, workspace

__all__ = ["finished", "fresh", "shared_folder", "simulated", "workspace"]
