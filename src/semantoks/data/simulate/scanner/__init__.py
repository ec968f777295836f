"""The simulated scanner: protocol, head motion, noise, and the T1w and BOLD images."""
