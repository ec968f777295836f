"""A raw BIDS data set made from known phenotypes, with the truth beside it."""
