"""How a representation is scored against a task: nothing of those tested in what is fitted."""
