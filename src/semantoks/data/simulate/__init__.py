"""A simulated raw BIDS data set with known phenotypes, and the ground truth behind it.

`participants` draws phenotypes and their effects, `activity` regional signals, `anatomy` heads;
``scanner`` turns them into images, and `dataset` writes everything.
"""
