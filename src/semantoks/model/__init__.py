"""The model: tokenizers, encoder, projector, student and teacher, and their files."""

from semantoks.model.encoder import Encoder, EncoderOutput
from semantoks.model.pair import SelfDistillation
from semantoks.model.projector import Projector

__all__ = ["Encoder", "EncoderOutput", "Projector", "SelfDistillation"]
