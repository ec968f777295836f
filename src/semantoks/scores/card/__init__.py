"""What else a representation tells, and whether it tells it twice."""
