"""From raw BIDS fMRI to phenotype scores you can trust, by way of a self-distilled model."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import the public functions when they are used: PyTorch takes seconds.

    ``__init__.pyi`` has their types.
    """
    if name not in ("load", "Embedder"):
        raise AttributeError(f"module 'semantoks' has no attribute '{name}'")
    # By name, so that the layers of `lint-imports` are those of the folders.
    return getattr(__import__("semantoks.model.embed.embedder", fromlist=[name]), name)
