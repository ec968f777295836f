"""From scans to feature vectors, with a trained encoder."""
