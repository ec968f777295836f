"""How fast the parts are, as ratios measured in one run."""
