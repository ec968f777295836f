"""From raw BIDS fMRI to phenotype scores you can trust, by way of a self-distilled model."""

__version__ = "0.1.0"
__all__ = ["Embedder", "TrainedModel", "UserError", "load", "score"]

_MODULES = {
    "Embedder": "api.transformer",
    "TrainedModel": "api.model",
    "UserError": "errors",
    "load": "api.model",
    "score": "api.score",
}


def __getattr__(name: str) -> object:
    """Import the public functions when they are used: PyTorch takes seconds.

    ``__init__.pyi`` has their types.
    """
    if name not in _MODULES:
        raise AttributeError(f"module 'semantoks' has no attribute '{name}'")
    # By name, so that the layers of `lint-imports` are those of the folders.
    return getattr(__import__(f"semantoks.{_MODULES[name]}", fromlist=[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
