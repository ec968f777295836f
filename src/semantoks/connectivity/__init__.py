"""Covariance between regions and its tangent space: mathematics that models and scores share."""
