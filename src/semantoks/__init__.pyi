from semantoks.model.embed.embedder import Embedder as Embedder
from semantoks.model.embed.embedder import load as load

__version__: str
