"""What a model knows of connectivity: reference covariances and the distilled map."""
