from semantoks.api.model import TrainedModel as TrainedModel
from semantoks.api.model import load as load

__version__: str
__all__ = ["TrainedModel", "load"]
