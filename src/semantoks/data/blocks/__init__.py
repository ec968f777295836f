"""Blocks of task runs: what is cut out of cleaned runs by the events of the task."""
