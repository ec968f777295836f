"""What a model is fitted to: the scans of people who are not held out."""
