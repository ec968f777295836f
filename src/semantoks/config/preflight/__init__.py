"""Checks of a configuration against the files that it names, in the first seconds of a run."""
