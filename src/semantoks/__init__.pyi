from semantoks.api.model import TrainedModel as TrainedModel
from semantoks.api.model import load as load
from semantoks.api.score import score as score
from semantoks.api.transformer import Embedder as Embedder
from semantoks.errors import UserError as UserError

__version__: str
__all__ = ["Embedder", "TrainedModel", "UserError", "load", "score"]
