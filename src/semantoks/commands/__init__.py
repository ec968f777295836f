"""The command line: one sub-command per stage, and those that tell about results."""
