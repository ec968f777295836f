"""From raw BIDS fMRI to phenotype scores you can trust, by way of a self-distilled model."""

__version__ = "0.1.0"
