"""Pretraining by self-distillation on regional time series."""
