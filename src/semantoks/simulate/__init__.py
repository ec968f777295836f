"""A raw BIDS data set made from known phenotypes, with the truth beside it."""

from semantoks.simulate.dataset import simulate

__all__ = ["simulate"]
