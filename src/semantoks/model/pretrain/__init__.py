"""Pretraining: from time series to an encoder."""
